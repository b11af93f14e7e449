"""Rubin alerts."""
