"""Data sets of astronomical surveys as TFDS records: one builder per survey.

    import data_builders
    records = data_builders.load("sdss_sn_sim/laptop")  # built on the first call
    print(len(records), records[0].flux.shape)

Importing this package imports no builder, no TFDS and no JAX.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_builders.registry import alert_reader_of, reader_of

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

    from jaxastro.data.record import Records

__all__ = ["alert_reader_of", "builder", "load", "reader_of"]


def load(
    name: str, *, data_dir: str = "", manual_dir: str = "", processes: int = 1
) -> Records:
    """Returns the records of a data set, which is built first if it is not on disk.

    The result has a length and can be indexed and iterated; each record is read from
    disk when it is accessed.

    Args:
        name: of the data set, with its preset if it has several: "hits",
            "sdss_sn_sim/laptop". `python -m data_builders list` shows all.
        data_dir: folder of built data sets; by default the environment variable
            TFDS_DATA_DIR, or else ~/tensorflow_datasets.
        manual_dir: folder of raw files, for surveys that are not simulated.
        processes: number of processes that read raw data.

    Raises:
        InputError: if there is no such data set or preset.
        MissingFileError: if raw files are missing; the message says which.
    """
    from data_builders import opening

    return opening.load(
        name, data_dir=data_dir, manual_dir=manual_dir, processes=processes
    )


def builder(
    name: str, *, data_dir: str = "", processes: int = 1
) -> tfds.core.DatasetBuilder:
    """Returns the TFDS builder of a data set, whether it is on disk or not.

    Args:
        name: of the data set, as in `load`.
        data_dir: as in `load`.
        processes: as in `load`.

    Raises:
        InputError: if there is no such data set or preset.
    """
    from data_builders import opening

    return opening.builder_of(name, data_dir=data_dir, processes=processes)
