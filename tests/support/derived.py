"""Data sets that are derived from others: their records and test folds."""

from data_builders.opening import prepare
from jaxastro.data.record import Records
from jaxastro.runs.dataset import open_dataset


def records_of(name, kind, data_dir):
    """All records of a data set, and its builder."""
    builder = prepare(name, data_dir=data_dir)
    return Records(builder.as_data_source(split="all"), kind), builder


def in_test_fold(config, data_dir):
    """The names of the objects in the test fold of an experiment."""
    dataset = open_dataset(config, data_dir=data_dir, manual_dir="")
    return set(dataset.index.object_id[dataset.rows["test"]])
