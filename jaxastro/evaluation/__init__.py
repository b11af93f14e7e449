"""Scores of predictions with confidence intervals, by NumPy and scikit-learn."""
