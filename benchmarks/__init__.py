"""Speed and memory, one command each; the tests never time anything.

`result` prints tables and result files, `compare` compares two of them, and `specs`
makes the spec and the task of a config.
"""
