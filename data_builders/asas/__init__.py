"""ASAS: variable stars in V."""
