"""Label leakage: features that predict the label without the object itself."""
