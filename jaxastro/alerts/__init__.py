"""Reads and writes the alert packets of ZTF and Rubin."""
