"""Alert packets as they travel, and the records they become."""
