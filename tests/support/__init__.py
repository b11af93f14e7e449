"""Data, models and functions that several test files use."""
