"""Base classes of all builders: from parts of raw data to stored records."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import tensorflow_datasets as tfds
from etils import epath
from tensorflow_datasets.core import shuffle, utils

from data_builders.engine.gather import gather_packets
from data_builders.engine.processes import read_in_order
from data_builders.engine.readings import records_of
from data_builders.engine.schema import record_features
from data_builders.engine.shuffle import DiskShuffler
from jaxastro.data.record import Reading
from jaxastro.data.survey_json import survey_from_json, survey_to_json
from jaxastro.surveys import SURVEYS, Survey

# In the folder of a built data set: objects set aside, and facts of the survey.
REPORT_FILE, SURVEY_FILE = "set_aside.json", "survey.json"


class SurveyBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """TFDS builder of a survey's data set, in array_record.

    That format has random access and needs no TensorFlow. A subclass sets SURVEY and
    DESCRIPTION, and defines `parts` and `read_part`. Parts are independent and can be
    pickled: a file, a folder, a range of numbers. They can be read by one process, by
    several, or by the machines of an Apache Beam runner, with the same result.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "First release."}
    SURVEY: ClassVar[Survey]
    DESCRIPTION: ClassVar[str]
    HOMEPAGE: ClassVar[str] = ""
    ANY_PRESET: ClassVar[bool] = False  # True: the user chooses the name of a preset

    def __init__(self, *, file_format="array_record", processes=1, **kwargs):
        super().__init__(file_format=file_format, **kwargs)
        self._processes = processes
        self._uses_beam = False

    @property
    def survey(self) -> Survey:
        """Facts of the survey that hold for this data set."""
        return self.SURVEY

    def outdated(self) -> str:
        """Returns why the data set on disk must be built again, "" if it is valid."""
        return ""

    def parts(self, manual_dir: Path | None) -> list:
        """Returns the independent pieces of work, after finding all raw files.

        Raises:
            MissingFileError: if raw files are missing; says which and their source.
        """
        raise NotImplementedError

    def read_part(self, part) -> Iterator[Reading | tuple[str, Any]]:
        """Yields a Reading for each object of a part.

        If the packets of an object are spread over several parts, it yields the name
        of the object and a packet instead, for `assemble`.
        """
        raise NotImplementedError

    def assemble(self, object_id: str, packets: list) -> Reading:
        """Returns the Reading of an object from its packets, in the order of parts."""
        raise NotImplementedError

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.DESCRIPTION,
            features=record_features(self.SURVEY),
            homepage=self.HOMEPAGE or None,
            citation=self.SURVEY.citation,
        )

    def _generate_splits(self, dl_manager, download_config):
        self._uses_beam = bool(
            download_config.beam_runner or download_config.beam_options
        )
        with utils.temporary_assignment(shuffle, "Shuffler", DiskShuffler):
            return super()._generate_splits(dl_manager, download_config)

    def _split_generators(self, dl_manager: tfds.download.DownloadManager):
        # The public property manual_dir raises if the folder is missing, before
        # JAXASTRO_DATA is tried.
        manual_dir = dl_manager._manual_dir
        parts = self.parts(Path(manual_dir) if manual_dir else None)
        # One split: folds are made for training. It is read as split="all", a name
        # that TFDS reserves, so it cannot be used here.
        return {"objects": self._generate_examples(parts)}

    def _generate_examples(self, parts: list):
        report = epath.Path(self.data_dir) / REPORT_FILE
        if self._uses_beam:
            from data_builders.engine.beam import examples_of  # an optional package

            return examples_of(self.read_part, self.assemble, parts, report=report)
        return self._examples_here(parts, report)

    def _examples_here(self, parts: list, report: epath.Path) -> Iterator[tuple]:
        folder = str(self.data_dir) if os.path.isdir(self.data_dir) else None
        items = read_in_order(
            self.read_part, parts, processes=self._processes, folder=folder
        )
        readings = gather_packets(items, self.assemble, folder=folder)
        for record in records_of(readings, report=report):
            yield record.object_id, record._asdict()


def survey_of_built(data_dir: str) -> Survey:
    """Returns the facts stored in the folder of a data set."""
    text = (epath.Path(data_dir) / SURVEY_FILE).read_text()
    return survey_from_json(text, otherwise=SURVEYS["image_folder"])


class OwnFacts(SurveyBuilder, skip_registration=True):
    """Builder of data sets with their own bands and classes, under any preset name.

    The facts are stored in the folder of the data set, so that it can be opened and
    used for training without its raw data.
    """

    ANY_PRESET = True
    CONFIG: ClassVar[type] = tfds.core.BuilderConfig

    def __init__(
        self, *, config: tfds.core.BuilderConfig | str | None = None, **kwargs
    ):
        if config and isinstance(config, str):
            config = self.CONFIG(name=config)
        super().__init__(config=config or None, **kwargs)

    def _create_builder_config(self, builder_config, version):
        return builder_config  # TFDS would warn that it is not in a list

    @property
    def survey(self) -> Survey:
        """Facts stored with the data set, if it was built."""
        is_built = (epath.Path(self.data_dir) / SURVEY_FILE).exists()
        return survey_of_built(self.data_dir) if is_built else self.SURVEY

    def facts_of(self, parts: list) -> Survey:
        """Returns the facts to store."""
        raise NotImplementedError

    def _generate_examples(self, parts: list):
        text = survey_to_json(self.facts_of(parts))
        (epath.Path(self.data_dir) / SURVEY_FILE).write_text(text)
        return super()._generate_examples(parts)
