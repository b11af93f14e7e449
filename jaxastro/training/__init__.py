"""Optimizer, devices, checkpoints and scalars: the effects of training."""
