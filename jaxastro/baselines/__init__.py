"""Features of objects, and the forests and boosting that classify them."""
