"""Simulated HiTS: image sequences of eleven classes under its real conditions.

    import data_builders
    records = data_builders.load("hits_sim/transfer", manual_dir=FOLDER)

FOLDER has raw files of the real survey: see hits_sim.md.

Times, seeing, sky and transparency are those of the real survey, frame by frame; the
objects are simulated. A network that is trained on them can be applied to real stamps.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.raw import find_raw
from data_builders.hits import hits
from data_builders.hits.hits_log import LOG_FILE, field_logs, read_log
from jaxastro.data.record import Reading
from jaxastro.data.series import SeriesRecord
from jaxastro.simulation.classes import CLASSES
from jaxastro.simulation.observing import ObservingLog
from jaxastro.simulation.sequence import Camera, simulate_sequence
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["hits_sim"]
CAMERA = Camera(
    survey=SURVEY,
    range_of={
        "SNIa": (0.01, 0.6),  # redshift
        "SNIbc": (0.01, 0.4),
        "SNII": (0.01, 0.4),
        "Galaxy": (0.03, 0.5),
        "RRLyrae": (15.8, 21.0),  # magnitudes in r
        "EB": (15.2, 18.8),
        "Cepheid": (15.5, 19.5),
        "LongPeriod": (15.5, 20.0),
        "NonVariable": (15.8, 21.5),
        "AGN": (17.5, 22.0),
        "Asteroid": (18.0, 23.0),
    },
    keeps_sky=True,
    seconds=86.0,
    saturation=42000.0,
    centring=0.35,
    frame_loss=0.03,
    cosmic_rays=0.02,
    neighbours=0.15,
    detections=3,
)
SUPERNOVAE = {"SNIa": "SN", "SNIbc": "SN", "SNII": "SN"}
PART_SIZE = 32  # objects that one process makes at a time


class Preset(NamedTuple):
    """Number of objects, and classes and labels of the survey."""

    objects: int
    share: dict[str, float]  # class of the simulator -> relative frequency
    label: dict[str, str]  # class -> label, if they differ


TRANSFER = {"SNIa": 0.6, "SNIbc": 0.12, "SNII": 0.28, "EB": 1.0, "RRLyrae": 1.0}
PRESETS = {
    "tiny": Preset(44, dict.fromkeys(CLASSES, 1.0), SUPERNOVAE),
    "transfer": Preset(9000, TRANSFER, SUPERNOVAE),
    "all": Preset(11000, dict.fromkeys(CLASSES, 1.0), {}),
}


@dataclasses.dataclass(kw_only=True)
class HitsSimConfig(tfds.core.BuilderConfig):
    """A preset, and the seed of its objects."""

    preset: Preset
    seed: int = 0


class HitsSim(SurveyBuilder):
    """Simulates HiTS, object by object, in the frames of the real survey."""

    BUILDER_CONFIGS: ClassVar = [
        HitsSimConfig(
            name=name, description=f"{preset.objects} objects.", preset=preset
        )
        for name, preset in PRESETS.items()
    ]
    SURVEY = SURVEY
    DESCRIPTION = "Simulated image sequences in the real frames of HiTS."
    HOMEPAGE = "https://github.com/rodrigcd/HiTS_simulations"

    def parts(self, manual_dir: Path | None) -> list:
        """Returns ranges of objects, each with the logs of all fields."""
        logs = read_field_logs(manual_dir, seed=self.builder_config.seed)
        number = range(self.builder_config.preset.objects)
        return [(number[i : i + PART_SIZE], logs) for i in number[::PART_SIZE]]

    def read_part(self, part) -> Iterator[Reading]:
        """Yields simulated objects."""
        numbers, logs = part
        config = self.builder_config
        for number in numbers:
            record = simulate_object(
                number, logs, preset=config.preset, seed=config.seed
            )
            yield Reading(record.object_id, record, ())


def read_field_logs(
    manual_dir: Path | None, *, seed: int = 0
) -> dict[str, ObservingLog]:
    """Returns the observing log of each field of the real survey."""
    log = find_raw(
        LOG_FILE,
        survey="hits",
        manual_dir=manual_dir,
        source="the observing log of github.com/rodrigcd/HiTS_simulations (MIT)",
    )
    readings = hits.read(hits.find_hits(manual_dir))
    records = [reading.record for reading in readings if reading.record is not None]
    return field_logs(
        read_log(log, SURVEY), records, pixel_scale=SURVEY.pixel_scale, seed=seed
    )


def simulate_object(
    number: int, logs: dict[str, ObservingLog], *, preset: Preset, seed: int
) -> SeriesRecord:
    """Returns object `number`; its field and its class are sampled independently."""
    rng = np.random.default_rng([seed, 8, number])
    field = str(rng.choice(list(logs)))
    share = np.array(list(preset.share.values()))
    truth = str(rng.choice(list(preset.share), p=share / share.sum()))
    return simulate_sequence(
        truth,
        CAMERA,
        logs[field],
        number=number,
        seed=seed,
        label=preset.label.get(truth, ""),
        group=field,
    )


def read(path: Path) -> Iterator[Reading]:
    """Yields real objects of HiTS, to which trained networks are applied."""
    return hits.read(path)


def recognises(path: Path) -> bool:
    """Returns whether a path is a file of real HiTS sequences."""
    return hits.recognises(path)
