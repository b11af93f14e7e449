"""From records on disk to batches: record, split, sampling, loader."""
