"""Sub-commands of `python -m data_builders`: one module each, and what they share."""
