"""Optimizers, devices, checkpoints and scalars of training."""
