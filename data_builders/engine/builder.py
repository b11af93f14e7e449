"""What all builders of this package share: from parts of raw data to stored records."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import tensorflow_datasets as tfds
from etils import epath
from tensorflow_datasets.core import shuffle, utils

from data_builders.engine.gather import whole_readings
from data_builders.engine.processes import read_in_order
from data_builders.engine.readings import records_of
from data_builders.engine.schema import record_features
from data_builders.engine.shuffle import DiskShuffler
from jaxastro.data.record import Reading
from jaxastro.data.survey_json import survey_from_json, survey_to_json
from jaxastro.surveys import SURVEYS, Survey

# Beside the built data set: what was set aside, and the facts that it brings.
REPORT_FILE, SURVEY_FILE = "set_aside.json", "survey.json"


class SurveyBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """One data set of one survey, in array_record: random access, no TensorFlow.

    A survey's builder sets SURVEY and DESCRIPTION, and says which parts its raw data
    have and how one part is read. Parts are independent and can be pickled: a file, a
    folder, a range of numbers. So they are read by one process, by several, or by the
    many machines of an Apache Beam runner, and give the same records.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "First release."}
    SURVEY: ClassVar[Survey]
    DESCRIPTION: ClassVar[str]
    HOMEPAGE: ClassVar[str] = ""
    ANY_PRESET: ClassVar[bool] = False  # True: the user names data sets as they like

    def __init__(self, *, file_format="array_record", processes=1, **kwargs):
        super().__init__(file_format=file_format, **kwargs)
        self._processes = processes
        self._uses_beam = False

    @property
    def survey(self) -> Survey:
        """The facts of the survey, as they hold for the data set that was built."""
        return self.SURVEY

    def outdated(self) -> str:
        """Returns why the data set that lies on disk should be built anew, if so."""
        return ""

    def parts(self, manual_dir: Path | None) -> list:
        """Returns the independent pieces of work, after finding all raw files.

        Raises:
            FileNotFoundError: if raw files are missing; says which, and where from.
        """
        raise NotImplementedError

    def read_part(self, part) -> Iterator[Reading | tuple[str, Any]]:
        """Yields a Reading for each object of a part.

        Where the packets of an object lie scattered over parts it yields the object's
        name and a packet instead, for `assemble`.
        """
        raise NotImplementedError

    def assemble(self, object_id: str, packets: list) -> Reading:
        """Returns the Reading of an object from all its packets, in order of parts."""
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
        # The property manual_dir refuses a missing folder before we could look at
        # the environment variable.
        manual_dir = dl_manager._manual_dir
        parts = self.parts(Path(manual_dir) if manual_dir else None)
        # One split; folds are made when training. Read it as split="all", a word that
        # TFDS keeps for itself and refuses here.
        return {"objects": self._generate_examples(parts)}

    def _generate_examples(self, parts: list):
        report = epath.Path(self.data_dir) / REPORT_FILE
        if self._uses_beam:
            from data_builders.engine.beam import examples_of  # Beam is an extra

            return examples_of(self.read_part, self.assemble, parts, report=report)
        return self._examples_here(parts, report)

    def _examples_here(self, parts: list, report: epath.Path) -> Iterator[tuple]:
        folder = str(self.data_dir) if os.path.isdir(self.data_dir) else None
        things = read_in_order(
            self.read_part, parts, processes=self._processes, folder=folder
        )
        readings = whole_readings(things, self.assemble, folder=folder)
        for record in records_of(readings, report=report):
            yield record.object_id, record._asdict()


def survey_of_built(data_dir: str) -> Survey:
    """Returns the facts that a data set brings, from the file beside it."""
    text = (epath.Path(data_dir) / SURVEY_FILE).read_text()
    return survey_from_json(text, otherwise=SURVEYS["image_folder"])


class OwnFacts(SurveyBuilder, skip_registration=True):
    """A builder of data sets with facts of their own, under names that users give.

    Bands, classes and the like are stored beside a data set, so that it can be opened
    and trained on without what it was made of.
    """

    ANY_PRESET = True
    CONFIG: ClassVar[type] = tfds.core.BuilderConfig

    def __init__(
        self, *, config: tfds.core.BuilderConfig | str | None = None, **kwargs
    ):
        if config and isinstance(config, str):  # any name will do
            config = self.CONFIG(name=config)
        super().__init__(config=config or None, **kwargs)

    def _create_builder_config(self, builder_config, version):
        return builder_config  # without a warning that it is none of a list's

    @property
    def survey(self) -> Survey:
        """The facts as they were stored, if the data set was built."""
        is_built = (epath.Path(self.data_dir) / SURVEY_FILE).exists()
        return survey_of_built(self.data_dir) if is_built else self.SURVEY

    def facts_of(self, parts: list) -> Survey:
        """Returns the facts that will be stored."""
        raise NotImplementedError

    def _generate_examples(self, parts: list):
        text = survey_to_json(self.facts_of(parts))
        (epath.Path(self.data_dir) / SURVEY_FILE).write_text(text)
        return super()._generate_examples(parts)
