"""Data sets that users bring: folders of images."""
