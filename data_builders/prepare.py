"""Builds a data set once and opens it: what training does first."""

import os
from pathlib import Path

import tensorflow_datasets as tfds


def prepare(
    name: str, *, data_dir: str = "", manual_dir: str = ""
) -> tfds.core.DatasetBuilder:
    """Returns the builder of a data set that lies on disk, built now if it did not.

    Args:
        name: a builder of this package, with its preset: "sdss_sn_sim/laptop", "hits".
        data_dir: where data sets are kept; empty for TFDS's own default, which is
            the environment variable TFDS_DATA_DIR or ~/tensorflow_datasets.
        manual_dir: the folder of raw files, for surveys that are not simulated.
    Raises:
        ValueError: if the survey has no such preset.
        FileNotFoundError: if raw files are missing; says which, and where from.
        OSError: if data_dir cannot be written.
    """
    survey, _, preset = name.partition("/")
    presets = tfds.builder_cls(survey).builder_configs
    if preset and preset not in presets:
        raise ValueError(
            f"Survey {survey} has no preset {preset!r}. Known presets: "
            f"{', '.join(presets) or 'none'}. Set config.survey to one."
        )
    builder = tfds.builder(
        name,
        data_dir=os.path.expanduser(data_dir) or None,
        file_format="array_record",  # read at random, and without TensorFlow
    )
    if not Path(builder.data_dir).exists():
        download = tfds.download.DownloadConfig(manual_dir=manual_dir or None)
        builder.download_and_prepare(download_config=download)
    return builder
