"""Simulated supernova survey `sdss_sn_sim`: image time series with known true classes.

    import data_builders
    records = data_builders.load("sdss_sn_sim/laptop")

`python -m data_builders new-objects` writes new raw objects, to try a trained run on.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.npz_sequences import holds_sequences, read_sequences
from jaxastro.atomic_write import atomic_write
from jaxastro.data.record import Reading
from jaxastro.data.series import SeriesRecord
from jaxastro.errors import InputError
from jaxastro.simulation.survey import (
    PRESETS,
    Preset,
    simulate_for_training,
    simulate_object,
)
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["sdss_sn_sim"]
DESCRIPTION = (
    "Image time series in ugriz like those of the SDSS-II Supernova Survey: "
    "simulated supernovae in their hosts, active nuclei and variable stars, with the "
    "true class and the label that a survey would give."
)
PART_SIZE = 32  # objects that one process makes at a time
PER_EPOCH = ("mjd", "band", "psf_fwhm", "noise", "gain", "zero_point")
PER_OBJECT = ("ra", "dec", "redshift", "label", "label_source", "truth")


@dataclasses.dataclass(kw_only=True)
class SdssSnSimConfig(tfds.core.BuilderConfig):
    """A preset of the survey, and the seed of its objects."""

    preset: Preset
    seed: int = 0


class SdssSnSim(SurveyBuilder):
    """Simulates the survey, object by object; nothing is downloaded."""

    BUILDER_CONFIGS: ClassVar = [
        SdssSnSimConfig(
            name=name,
            description=f"{preset.objects} objects, {preset.simulations} for training.",
            preset=preset,
        )
        for name, preset in PRESETS.items()
    ]
    SURVEY = SURVEY
    DESCRIPTION = DESCRIPTION

    def parts(self, manual_dir: Path | None) -> list[range]:
        """Returns the numbers of the objects, PART_SIZE to a part."""
        preset = self.builder_config.preset
        number = range(preset.objects + preset.simulations)
        return [number[i : i + PART_SIZE] for i in number[::PART_SIZE]]

    def read_part(self, part: range) -> Iterator[Reading]:
        """Yields simulated objects."""
        config = self.builder_config
        how = {"seed": config.seed, "preset": config.preset}
        for number in part:
            if number < config.preset.objects:
                record = simulate_object(number, **how)
            else:
                number -= config.preset.objects
                record = simulate_for_training(number, **how)
            yield Reading(record.object_id, record, ())


def read(path: Path) -> Iterator[Reading]:
    """Yields the raw objects of a file in the format of `write_raw`."""
    return read_sequences(path, SURVEY)


def recognises(path: Path) -> bool:
    """Returns whether a path is a file of such sequences."""
    return holds_sequences(path, SURVEY)


def write_raw(path: Path, records: Iterable[SeriesRecord]) -> int:
    """Writes records as raw image sequences and returns their number.

    The file is a compressed npz with the concatenated epochs of all objects, and their
    offsets:
        images [sum t, y, x], offsets [n + 1], mjd psf_fwhm noise gain zero_point
        band [sum t]; name field ra dec redshift label label_source truth [n]
    Bad pixels are NaN in the images; bands are names.
    """
    records = list(records)
    if not records:
        raise InputError(
            f"No records to write to {path}. A file of raw objects needs at least one."
        )
    arrays = {
        name: np.concatenate([getattr(record, name) for record in records])
        for name in PER_EPOCH
    }
    arrays |= {
        name: np.array([getattr(record, name) for record in records])
        for name in PER_OBJECT
    }
    arrays["band"] = np.array(SURVEY.bands)[arrays["band"]]
    arrays["images"] = np.concatenate(
        [np.where(record.bad_pixel, np.nan, record.flux) for record in records]
    ).astype(np.float32)
    arrays["offsets"] = np.cumsum([0, *(len(record.mjd) for record in records)])
    arrays["name"] = np.array([record.object_id for record in records])
    arrays["field"] = np.array([record.group for record in records])
    with atomic_write(path, "wb") as file:  # savez would add .npz to another suffix
        np.savez_compressed(file, **arrays)
    return len(records)
