"""Simulated hand-scan images: real and bogus differences of SDSS-II, in ten classes.

    import data_builders
    records = data_builders.load("sdss_handscan_sim/laptop")

The real images are not published. These have the same layout, so that a network trained
on them can be applied to real ones unchanged.
"""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from data_builders.engine.builder import SurveyBuilder
from data_builders.sdss import sdss_handscan
from jaxastro.data.cutout import CutoutRecord
from jaxastro.data.record import Reading
from jaxastro.simulation.handscan import simulate_image
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["sdss_handscan_sim"]
PART_SIZE = 64  # images that one process makes at a time
# Relative frequency of the classes: 57 % are real, as in du Buisson et al. 2015.
SHARE = {
    "Artefact": 0.17,
    "Dipole": 0.16,
    "Saturated Star": 0.10,
    "Moving": 0.18,
    "Variable": 0.12,
    "Transient": 0.07,
    "SN Other": 0.05,
    "SN Bronze": 0.06,
    "SN Silver": 0.04,
    "SN Gold": 0.05,
}


class Preset(NamedTuple):
    """Number of images."""

    images: int


PRESETS = {"tiny": Preset(80), "laptop": Preset(4000), "paper": Preset(21_785)}


@dataclasses.dataclass(kw_only=True)
class SdssHandscanSimConfig(tfds.core.BuilderConfig):
    """A preset, and the seed of its images."""

    preset: Preset
    seed: int = 0


class SdssHandscanSim(SurveyBuilder):
    """Simulates difference images one by one."""

    BUILDER_CONFIGS: ClassVar = [
        SdssHandscanSimConfig(
            name=name, description=f"{preset.images} images.", preset=preset
        )
        for name, preset in PRESETS.items()
    ]
    SURVEY = SURVEY
    DESCRIPTION = "Simulated images of transient candidates of SDSS-II, ten classes."
    HOMEPAGE = sdss_handscan.SdssHandscan.HOMEPAGE

    def parts(self, manual_dir: Path | None) -> list:
        """Returns ranges of images."""
        number = range(self.builder_config.preset.images)
        return [number[i : i + PART_SIZE] for i in number[::PART_SIZE]]

    def read_part(self, part) -> Iterator[Reading]:
        """Yields simulated images."""
        for number in part:
            yield reading_of(number, seed=self.builder_config.seed)


def reading_of(number: int, *, seed: int) -> Reading:
    """Returns image `number`; its class is sampled independently of its sky."""
    rng = np.random.default_rng([seed, 14, number])
    label = str(rng.choice(list(SHARE), p=list(SHARE.values())))
    digest = hashlib.sha256(f"{SURVEY.name}:{seed}:{number}".encode()).hexdigest()
    name = f"SIM{digest[:12]}"
    record = CutoutRecord(
        object_id=name,
        ra=np.nan,
        dec=np.nan,
        label=label,
        label_source="simulated",
        truth=label,
        redshift=np.nan,
        group=name,
        image=simulate_image(label, number=number, seed=seed),
    )
    return Reading(name, record, ())


def read(path: Path) -> Iterator[Reading]:
    """Yields real images, to which trained networks are applied."""
    return sdss_handscan.read(path)


def recognises(path: Path) -> bool:
    """Returns whether a path has hand-scanned images."""
    return sdss_handscan.recognises(path)
