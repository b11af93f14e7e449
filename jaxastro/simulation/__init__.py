"""Simulated image series and alerts with known classes."""
