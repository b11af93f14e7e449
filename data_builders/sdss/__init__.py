"""SDSS-II supernovae: images, light curves, hand-scanned differences, simulations."""
