"""Opens a data set by its name, and builds it first if it is not on disk."""

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

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.index import index_of
from data_builders.registry import builder_class_of
from jaxastro.data.record import RECORD_TYPES, Records
from jaxastro.errors import InputError, MissingPackageError


def load(
    name: str, *, data_dir: str = "", manual_dir: str = "", processes: int = 1
) -> Records:
    """Returns the records of a data set, which is built first if it is not on disk.

    Arguments and errors are those of `prepare`.
    """
    return open_records(
        prepare(name, data_dir=data_dir, manual_dir=manual_dir, processes=processes)
    )


def open_records(builder: SurveyBuilder) -> Records:
    """Returns the records of a data set that is on disk, in its order."""
    source = builder.as_data_source(split="all")
    return Records(source, RECORD_TYPES[builder.survey.kind])


def prepare(
    name: str,
    *,
    data_dir: str = "",
    manual_dir: str = "",
    processes: int = 1,
    beam_runner: str = "",
    beam_options: Sequence[str] = (),
    most: int = 0,
) -> SurveyBuilder:
    """Returns the builder of a data set, which is built first if it is not on disk.

    Args:
        name: of the data set, with its preset: "sdss_sn_sim/laptop", "hits".
        data_dir: folder of built data sets; empty for TFDS's default: the environment
            variable TFDS_DATA_DIR, or else ~/tensorflow_datasets.
        manual_dir: folder of raw files, for surveys that are not simulated.
        processes: number of processes that read raw data.
        beam_runner: "DirectRunner", "DataflowRunner" or another runner of Apache Beam;
            empty builds without Beam.
        beam_options: of the runner, such as "project=sky" or "region=europe-west1".
        most: number of objects to build, the first ones, to try a large survey; use a
            separate data_dir, as the result is stored like the complete data set. 0
            builds all.
    Raises:
        InputError: if there is no such data set or preset, or it was derived from
            another data set that has changed since.
        MissingFileError: if raw files are missing; says which and their source.
        MissingPackageError: if Beam is requested and not installed.
        OSError: if data_dir cannot be written.
    """
    builder = builder_of(name, data_dir=data_dir, processes=processes)
    if not is_built(builder):
        download = tfds.download.DownloadConfig(
            manual_dir=os.path.expanduser(manual_dir) or None,
            try_download_gcs=False,  # none of these data sets is on TFDS's cloud
            max_examples_per_split=most or None,
            **_beam(beam_runner, beam_options),
        )
        if not sys.stderr.isatty():
            tfds.disable_progress_bar()
        # TFDS would print that it downloads, which it does not.
        with _build_lock(builder), contextlib.redirect_stdout(io.StringIO()):
            if is_built(builder):  # by another process, while this one waited
                builder = builder_of(name, data_dir=data_dir, processes=processes)
            else:
                builder.download_and_prepare(download_config=download)
            index_of(builder, quiet=True)
    elif reason := builder.outdated():
        raise InputError(reason)
    return builder


def builder_of(name: str, *, data_dir: str = "", processes: int = 1) -> SurveyBuilder:
    """Returns the builder of a data set, whether it is on disk or not.

    Arguments and errors are those of `prepare`.
    """
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
        file_format="array_record",  # random access, without TensorFlow
        processes=processes,
    )


def is_built(builder: SurveyBuilder) -> bool:
    """Returns whether the data set is on disk; it is moved there when complete."""
    return builder.data_path.exists()


def _beam(runner: str, options: Sequence[str]) -> dict:
    if not runner:
        if options:
            raise InputError(
                f"Beam options {', '.join(options)} without a runner. Name one: "
                "DirectRunner, DataflowRunner, FlinkRunner or SparkRunner."
            )
        return {}
    if not importlib.util.find_spec("apache_beam"):
        raise MissingPackageError(
            f"Runner {runner} needs Apache Beam, which is not installed. Install it "
            "with: pip install 'jaxastro[beam]'"
        )
    logging.disable()  # it warns of cloud clients that are not installed
    from apache_beam.options.pipeline_options import PipelineOptions

    logging.disable(logging.NOTSET)
    # Without flags, Beam would parse the options of this program.
    flags = [f"--{option}" for option in options]
    return {"beam_runner": runner, "beam_options": PipelineOptions(flags)}


@contextlib.contextmanager
def _build_lock(builder: SurveyBuilder) -> Iterator[None]:
    """Lets one process build a data set, and removes what a killed build left."""
    folder = Path(builder.data_dir).parent
    if "://" in builder.data_dir:  # a bucket of a cloud has no locks
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / ".building.lock"):
        for left in folder.glob(f"incomplete.*_{builder.data_path.name}"):
            shutil.rmtree(left)
        yield
