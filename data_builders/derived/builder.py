"""Base class of builders that compute a data set from another one, by object."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

from etils import epath

from data_builders.engine.builder import OwnFacts
from data_builders.engine.index import fingerprint
from data_builders.opening import builder_of, is_built, open_records, prepare
from jaxastro.data.record import Reading, Records
from jaxastro.surveys import Survey, derived_of, origin_of

ORIGIN_FILE = "origin.sha256"  # hash of the files of the other data set


class Part(NamedTuple):
    """Some objects of the other data set."""

    name: str
    data_dir: str
    rows: range


class Derived(OwnFacts, skip_registration=True):
    """A data set with the objects, labels, groups, and so the folds, of another."""

    PART_SIZE: ClassVar[int]  # objects that one process computes at a time

    def parts(self, manual_dir: Path | None) -> list[Part]:
        """Returns the objects of the other data set, which is built if necessary.

        Raises:
            InputError: if the name is not that of a data set of the right kind.
        """
        config = self.builder_config
        name = origin_of(f"{self.SURVEY.name}/{config.name if config else ''}")
        root = str(self._data_dir_root)
        origin = prepare(
            name,
            data_dir=root,
            manual_dir=str(manual_dir or ""),
            processes=self._processes,
        )
        number = range(len(origin.as_data_source(split="all")))
        return [
            Part(name, root, number[i : i + self.PART_SIZE])
            for i in number[:: self.PART_SIZE]
        ]

    def facts_of(self, parts: list[Part]) -> Survey:
        """Returns the facts of the other survey that hold for this kind of record."""
        name, data_dir, _ = parts[0]
        return derived_of(self.SURVEY.name, name, open_origin(name, data_dir)[1])

    def outdated(self) -> str:
        """Returns a message if the other data set was built again after this one.

        If the other data set or its hash is missing, it returns "".
        """
        stored = epath.Path(self.data_dir) / ORIGIN_FILE
        name = origin_of(f"{self.SURVEY.name}/{self.builder_config.name}")
        origin = builder_of(name, data_dir=str(self._data_dir_root))
        if not stored.exists() or not is_built(origin):
            return ""
        if stored.read_text() == fingerprint(origin):
            return ""
        return (
            f"{self.data_dir} was computed from {name}, which was built again later: "
            "objects, labels or folds may have changed. Remove this folder, and it is "
            "built again."
        )

    def _generate_examples(self, parts: list[Part]):
        name, data_dir, _ = parts[0]
        origin = builder_of(name, data_dir=data_dir)
        (epath.Path(self.data_dir) / ORIGIN_FILE).write_text(fingerprint(origin))
        return super()._generate_examples(parts)


def readings_of(part: Part) -> tuple[Iterator[Reading], Survey]:
    """Returns the objects of a part of the other data set, and its facts."""
    records, survey = open_origin(part.name, part.data_dir)
    selected = (records[row] for row in part.rows)
    return (Reading(record.object_id, record, ()) for record in selected), survey


@functools.cache
def open_origin(name: str, data_dir: str) -> tuple[Records, Survey]:
    """Returns the records of a data set on disk, and its facts."""
    builder = builder_of(name, data_dir=data_dir)
    return open_records(builder), builder.survey
