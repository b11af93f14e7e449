"""Builds a data set once and opens it: what training does first."""

import contextlib
import importlib.util
import io
import logging
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import filelock
import tensorflow_datasets as tfds

from data_builders.engine.index import index_of
from data_builders.registry import builder_class_of
from jaxastro.data.record import RECORD_TYPES, Records
from jaxastro.errors import InputError, MissingPackageError


def prepare(
    name: str,
    *,
    data_dir: str = "",
    manual_dir: str = "",
    processes: int = 1,
    beam_runner: str = "",
    beam_options: Sequence[str] = (),
    most: int = 0,
) -> tfds.core.DatasetBuilder:
    """Returns the builder of a data set that lies on disk, built now if it did not.

    Args:
        name: a builder of this package, with its preset: "sdss_sn_sim/laptop", "hits".
        data_dir: where data sets are kept; empty for TFDS's own default, which is
            the environment variable TFDS_DATA_DIR or ~/tensorflow_datasets.
        manual_dir: the folder of raw files, for surveys that are not simulated.
        processes: how many read raw data at a time.
        beam_runner: "DirectRunner", "DataflowRunner" or another of Apache Beam's;
            empty builds here, without Beam.
        beam_options: the runner's own, as "project=sky" or "region=europe-west1".
        most: objects that are built, the first ones, to try a large survey out: in a
            data_dir of its own, for what lies there passes for the whole; 0: all.
    Raises:
        ValueError: if there is no such builder or preset, or it lies there but was made
            of another data set that has changed since.
        FileNotFoundError: if raw files are missing; says which, and where from.
        ModuleNotFoundError: if Beam is asked for and not there.
        OSError: if data_dir cannot be written.
    """
    builder = builder_of(name, data_dir=data_dir, processes=processes)
    if not is_built(builder):
        download = tfds.download.DownloadConfig(
            manual_dir=os.path.expanduser(manual_dir) or None,
            try_download_gcs=False,  # none of these data sets lies there
            max_examples_per_split=most or None,
            **_beam(beam_runner, beam_options),
        )
        if not sys.stderr.isatty():
            tfds.disable_progress_bar()
        # TFDS would tell on the screen of a download that there is not.
        with _alone(builder), contextlib.redirect_stdout(io.StringIO()):
            if is_built(builder):  # by another process, while this one waited
                builder = builder_of(name, data_dir=data_dir, processes=processes)
            else:
                builder.download_and_prepare(download_config=download)
            index_of(builder, quiet=True)
    elif reason := builder.outdated():
        raise InputError(reason)
    return builder


def builder_of(
    name: str, *, data_dir: str = "", processes: int = 1
) -> tfds.core.DatasetBuilder:
    """Returns the builder of a data set, built or not; see `prepare`."""
    survey, _, preset = name.partition("/")
    builder_class = builder_class_of(survey)
    presets = builder_class.builder_configs
    if preset and preset not in presets and not builder_class.ANY_PRESET:
        raise InputError(
            f"Survey {survey} has no preset {preset!r}. Known presets: "
            f"{', '.join(presets) or 'none'}. Choose one of them."
        )
    if processes < 1:
        raise InputError(f"{processes} processes. At least one has to read. Give 1.")
    return builder_class(
        config=preset or None,
        data_dir=os.path.expanduser(data_dir) or None,
        file_format="array_record",  # read at random, and without TensorFlow
        processes=processes,
    )


def load(
    name: str, *, data_dir: str = "", manual_dir: str = "", processes: int = 1
) -> Records:
    """Returns the records of a data set, built now if it is not on disk.

    The arguments and errors are those of `prepare`.
    """
    builder = prepare(
        name, data_dir=data_dir, manual_dir=manual_dir, processes=processes
    )
    return open_records(builder)


def open_records(builder: tfds.core.DatasetBuilder) -> Records:
    """Returns the records of a data set that is on disk, in its order."""
    source = builder.as_data_source(split="all")
    return Records(source, RECORD_TYPES[builder.survey.kind])


def is_built(builder: tfds.core.DatasetBuilder) -> bool:
    """Returns whether the whole data set lies on disk: it moves there at the end."""
    return builder.data_path.exists()


def _beam(runner: str, options: Sequence[str]) -> dict:
    if not runner:
        if options:
            raise InputError(
                f"Beam options {', '.join(options)}, but no runner to take them. Name "
                "one: DirectRunner, DataflowRunner, FlinkRunner or SparkRunner."
            )
        return {}
    if not importlib.util.find_spec("apache_beam"):
        raise MissingPackageError(
            f"Runner {runner} was asked for, but Apache Beam is not installed. "
            "Install it with: pip install 'jaxastro[beam]'"
        )
    logging.disable()  # it warns of clients of clouds that are not installed
    from apache_beam.options.pipeline_options import PipelineOptions

    logging.disable(logging.NOTSET)
    # Given none, Beam would take the options of this program for its own.
    flags = [f"--{option}" for option in options]
    return {"beam_runner": runner, "beam_options": PipelineOptions(flags)}


@contextlib.contextmanager
def _alone(builder: tfds.core.DatasetBuilder) -> Iterator[None]:
    """Lets one process build a data set, without what a killed one left behind."""
    folder = Path(builder.data_dir).parent
    if "://" in builder.data_dir:  # a bucket of a cloud has no locks
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / ".building.lock"):
        for left in folder.glob(f"incomplete.*_{builder.data_path.name}"):
            shutil.rmtree(left)
        yield
