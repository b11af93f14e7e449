"""One scientific question each."""
