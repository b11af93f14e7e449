"""Data sets that are computed from another data set: light curves, heat maps."""
