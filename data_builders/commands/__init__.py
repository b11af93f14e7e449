"""What `python -m data_builders` does: a file for each sub-command, and their words."""
