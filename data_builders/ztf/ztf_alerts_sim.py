"""Simulated ZTF alerts: packets of stars, active nuclei, supernovae, asteroids, bogus.

    import data_builders
    records = data_builders.load("ztf_alerts_sim/laptop")

The packets have ZTF's format and are read by the reader of real ones, so that a trained
network can be applied to the alerts of a broker.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from data_builders.engine.builder import SurveyBuilder
from data_builders.ztf import ztf_alerts
from jaxastro.alerts.ztf import make_ztf_record, read_packet
from jaxastro.data.record import Reading
from jaxastro.simulation.alerts import KINDS, field_of, object_name, simulate_packets
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["ztf_alerts_sim"]
PART_SIZE = 32  # objects that one process makes at a time
ATTEMPTS = 20  # to simulate an object that is detected
MOST = 20  # alerts of an object that are kept, the first ones
# Relative frequency of the classes, and of some kinds in their class.
SHARE = {"SN": 1.0, "AGN": 1.0, "VS": 1.0, "Asteroid": 1.0, "Bogus": 1.0}
WITHIN = {"SNIa": 0.6, "SNIbc": 0.12, "SNII": 0.28}


class Preset(NamedTuple):
    """Number of objects."""

    objects: int


PRESETS = {"tiny": Preset(60), "laptop": Preset(5000), "paper": Preset(50_000)}


@dataclasses.dataclass(kw_only=True)
class ZtfAlertsSimConfig(tfds.core.BuilderConfig):
    """A preset, and the seed of its objects."""

    preset: Preset
    seed: int = 0


class ZtfAlertsSim(SurveyBuilder):
    """Simulates objects, packet by packet."""

    BUILDER_CONFIGS: ClassVar = [
        ZtfAlertsSimConfig(
            name=name, description=f"{preset.objects} objects.", preset=preset
        )
        for name, preset in PRESETS.items()
    ]
    VERSION = tfds.core.Version("1.1.0")
    RELEASE_NOTES: ClassVar = {
        "1.0.0": "Five classes.",
        "1.1.0": "The same objects, labelled by kind: SNIa for SN, dipole for Bogus.",
    }
    SURVEY = SURVEY
    DESCRIPTION = "Simulated alerts of the Zwicky Transient Facility, by object."
    HOMEPAGE = "https://ztf.uw.edu/alerts/public"

    def parts(self, manual_dir: Path | None) -> list:
        """Returns ranges of objects."""
        number = range(self.builder_config.preset.objects)
        return [number[i : i + PART_SIZE] for i in number[::PART_SIZE]]

    def read_part(self, part) -> Iterator[Reading]:
        """Yields simulated objects."""
        for number in part:
            yield reading_of(number, seed=self.builder_config.seed)


def kind_of(number: int, seed: int) -> str:
    """Returns the kind of an object: its class is sampled first, then its kind."""
    rng = np.random.default_rng([seed, 12, number])
    share = np.array(list(SHARE.values()))
    label = str(rng.choice(list(SHARE), p=share / share.sum()))
    kinds = [kind for kind, (of, _) in KINDS.items() if of == label]
    share = np.array([WITHIN.get(kind, 1.0) for kind in kinds])
    return str(rng.choice(kinds, p=share / share.sum()))


def packets_of(number: int, *, seed: int) -> tuple[str, list[dict]]:
    """Returns the kind of object `number` and its packets.

    An object that is not detected is simulated again, up to ATTEMPTS times; then it has
    no packets.
    """
    kind, packets = kind_of(number, seed), []
    for attempt in range(ATTEMPTS):
        packets = simulate_packets(
            kind, number=number, seed=seed, most=MOST, attempt=attempt
        )
        if packets:
            break
    return kind, packets


def reading_of(number: int, *, seed: int) -> Reading:
    """Returns object `number`; it is set aside if it has no packets."""
    name, (kind, packets) = object_name(number, seed), packets_of(number, seed=seed)
    if not packets:
        return Reading(name, None, (f"Object {name}: {kind} was never detected.",))
    record, notes = make_ztf_record(
        name,
        SURVEY,
        [read_packet(packet, SURVEY) for packet in packets],
        label=kind,
        group=f"field{field_of(number, seed):03d}",
    )
    return Reading(name, record._replace(truth=kind, label_source="simulated"), notes)


def read(path: Path) -> Iterator[Reading]:
    """Yields real objects of ZTF, to which trained networks are applied."""
    return ztf_alerts.read(path)


def recognises(path: Path) -> bool:
    """Returns whether a path is a file of ZTF alerts, or a folder with such a file."""
    return ztf_alerts.recognises(path)
