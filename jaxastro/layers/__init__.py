"""Building blocks of models, one per file."""
