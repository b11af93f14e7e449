"""What predicts the label without looking at the object."""
