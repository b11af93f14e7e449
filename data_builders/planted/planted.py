"""Simulated surveys `planted`, whose two classes differ in one property only.

    import data_builders
    records = data_builders.load("planted/order")

Data card: planted.md.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import tensorflow_datasets as tfds

from data_builders.engine.builder import SurveyBuilder
from data_builders.engine.npz_sequences import holds_sequences, read_sequences
from jaxastro.data.record import Reading
from jaxastro.simulation.planted import CLASSES, simulate_pair
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["planted"]
PART_SIZE = 32  # pairs that one process makes at a time


@dataclasses.dataclass(kw_only=True)
class PlantedConfig(tfds.core.BuilderConfig):
    """The property in which the classes differ, number of pairs, and seed."""

    planted: str
    pairs: int = 600
    seed: int = 0


class Planted(SurveyBuilder):
    """Simulates twins of two classes, pair by pair; nothing is downloaded."""

    BUILDER_CONFIGS: ClassVar = [
        PlantedConfig(
            name=name, description=f"{' and '.join(classes)}, in pairs.", planted=name
        )
        for name, classes in CLASSES.items()
    ]
    SURVEY = SURVEY
    DESCRIPTION = (
        "Image time series in r of pairs: the same frames in reverse order, or another "
        "host under the same sky. They test whether a network uses the order of the "
        "frames, and single frames."
    )

    def parts(self, manual_dir: Path | None) -> list[range]:
        """Returns the numbers of the pairs, PART_SIZE to a part."""
        number = range(self.builder_config.pairs)
        return [number[i : i + PART_SIZE] for i in number[::PART_SIZE]]

    def read_part(self, part: range) -> Iterator[Reading]:
        """Yields simulated objects, pair by pair."""
        config = self.builder_config
        for number in part:
            twins = simulate_pair(number, seed=config.seed, planted=config.planted)
            for record in twins:
                yield Reading(record.object_id, record, ())


def read(path: Path) -> Iterator[Reading]:
    """Yields the raw objects of a file of image sequences."""
    return read_sequences(path, SURVEY)


def recognises(path: Path) -> bool:
    """Returns whether a path is a file of such sequences."""
    return holds_sequences(path, SURVEY)
