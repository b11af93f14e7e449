"""The commands: train, evaluate, report, predict, describe."""
