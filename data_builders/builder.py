"""What all builders of this package share: from parts of raw data to stored records."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import tensorflow_datasets as tfds

from data_builders.readings import records_of
from data_builders.schema import record_features
from jaxastro.data.record import Reading
from jaxastro.surveys import Survey

REPORT_FILE = "set_aside.json"  # beside the built data set


class SurveyBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """One data set of one survey, in array_record: random access, no TensorFlow.

    A survey's builder sets SURVEY and DESCRIPTION, and says which parts its raw data
    have and how one part is read. Parts are independent, hold whole objects, and can
    be pickled: a file, a folder, a range of numbers.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "First release."}
    SURVEY: ClassVar[Survey]
    DESCRIPTION: ClassVar[str]
    HOMEPAGE: ClassVar[str] = ""

    def __init__(self, *, file_format="array_record", **kwargs):
        super().__init__(file_format=file_format, **kwargs)

    def parts(self, manual_dir: Path | None) -> list:
        """Returns the independent pieces of work, after finding all raw files.

        Raises:
            FileNotFoundError: if raw files are missing; says which, and where from.
        """
        raise NotImplementedError

    def read_part(self, part) -> Iterator[Reading]:
        """Yields a Reading for each object of a part."""
        raise NotImplementedError

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.DESCRIPTION,
            features=record_features(self.SURVEY),
            homepage=self.HOMEPAGE or None,
            citation=self.SURVEY.citation,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager):
        # The property manual_dir refuses a missing folder before we could look at
        # the environment variable.
        manual_dir = dl_manager._manual_dir
        parts = self.parts(Path(manual_dir) if manual_dir else None)
        # One split; folds are made when training. Read it as split="all", a word that
        # TFDS keeps for itself and refuses here.
        return {"objects": self._generate_examples(parts)}

    def _generate_examples(self, parts: list):
        readings = itertools.chain.from_iterable(map(self.read_part, parts))
        report = Path(self.data_dir) / REPORT_FILE
        for record in records_of(readings, report=report):
            yield record.object_id, record._asdict()
