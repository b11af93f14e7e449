"""Image time series with known truth: when, under what sky, of what, as what."""
