"""Features of objects, and random forests and gradient boosting that classify them."""
