"""Data sets made from another data set: measured light curves, heat maps."""
