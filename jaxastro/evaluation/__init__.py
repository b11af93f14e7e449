"""From predictions to numbers with intervals. NumPy and scikit-learn, never JAX."""
