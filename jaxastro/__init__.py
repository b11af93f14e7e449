"""Classify astronomical image time series with JAX."""
