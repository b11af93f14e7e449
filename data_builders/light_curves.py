"""Light curves measured on the images of another survey, object by object.

import data_builders, tensorflow_datasets as tfds
builder = tfds.builder("light_curves/sdss_sn_sim.laptop")  # the images' data set
builder.download_and_prepare()
source = builder.as_data_source("all")

Objects, labels and groups are those of the images, so are the folds: networks on light
curves and on images can be compared object by object. The data card is light_curves.md.
"""

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from etils import epath

import data_builders
from data_builders.engine.builder import OwnFacts
from data_builders.engine.index import fingerprint
from data_builders.engine.prepare import builder_of, is_built, prepare
from jaxastro.data.record import Reading, Record, Records
from jaxastro.photometry import light_curve
from jaxastro.surveys import SURVEYS, Survey, images_of, light_curves_of

PART_SIZE = 64  # objects that one process measures at a time
# How images are measured: light_curve's arguments. Stamps are cut at whole pixels.
BY_PSF, BY_APERTURE = {"drift": 0.3}, {"radius": 6.0}
IMAGES_FILE = "images.sha256"  # beside the data set: of which images it is
EXTENDED = "planted"  # whose galaxies are no points; its PSF is known


class Part(NamedTuple):
    """Some objects of a data set of images."""

    name: str
    data_dir: str
    rows: range


class LightCurves(OwnFacts):
    """Light curves of the objects of a data set of images, by our own photometry."""

    SURVEY = SURVEYS["light_curves"]
    DESCRIPTION = (
        "Light curves by PSF or aperture photometry on another survey's images."
    )

    def parts(self, manual_dir: Path | None) -> list[Part]:
        """Returns the objects of the images' data set, which is built if it is not.

        Raises:
            ValueError: if the name is not that of a data set of images.
        """
        config = self.builder_config
        name = images_of(config.name if config else "")
        root = str(self._data_dir_root)
        images = prepare(
            name,
            data_dir=root,
            manual_dir=str(manual_dir or ""),
            processes=self._processes,
        )
        number = range(len(images.as_data_source(split="all")))
        return [
            Part(name, root, number[i : i + PART_SIZE]) for i in number[::PART_SIZE]
        ]

    def facts_of(self, parts: list[Part]) -> Survey:
        """Returns the facts of the images' survey, without what is of images alone."""
        name, data_dir, _ = parts[0]
        return light_curves_of(name, _opened(name, data_dir)[1])

    def outdated(self) -> str:
        """Returns that the images were built anew since they were measured, if so.

        Where they are gone, or nobody noted which they were, nothing can be said.
        """
        noted = epath.Path(self.data_dir) / IMAGES_FILE
        name = images_of(self.builder_config.name)
        images = builder_of(name, data_dir=str(self._data_dir_root))
        if not noted.exists() or not is_built(images):
            return ""
        if noted.read_text() == fingerprint(images):
            return ""
        return (
            f"{self.data_dir} was measured on images of {name} that have been built "
            "anew since: objects, labels or folds may be others. Remove that folder, "
            "and the light curves are measured again."
        )

    def _generate_examples(self, parts: list[Part]):
        name, data_dir, _ = parts[0]
        images = builder_of(name, data_dir=data_dir)
        (epath.Path(self.data_dir) / IMAGES_FILE).write_text(fingerprint(images))
        return super()._generate_examples(parts)

    def read_part(self, part: Part) -> Iterator[Reading]:
        """Yields the light curves of some objects."""
        images, survey = _opened(part.name, part.data_dir)
        records = (images[row] for row in part.rows)
        readings = (Reading(record.object_id, record, ()) for record in records)
        return measured(readings, survey, part.name.partition("/")[0])


def read(path: Path, survey: Survey) -> Iterator[Reading]:
    """Yields light curves of the raw images in a file or folder.

    Args:
        path: as the builder of the images reads it.
        survey: the facts of the light curves' data set.
    """
    name = survey.name.partition("/")[2]
    read_images, known = data_builders.READERS[name], SURVEYS[name]
    if known.classes:
        return measured(read_images(path), known, name)
    survey = survey._replace(kind="series")  # whose bands and classes hold
    return measured(read_images(path, survey), survey, name)


def recognises(path: Path) -> bool:
    """Returns False: raw files of images are recognised by their own survey."""
    del path
    return False


def measured(
    readings: Iterable[Reading], survey: Survey, name: str
) -> Iterator[Reading]:
    """Yields the light curve of each record of images; others as they are.

    By aperture where nobody knows the width of the PSF, else by PSF.

    Args:
        survey: the facts of the images, whatever it calls itself.
        name: of the builder of the images.
    """
    for reading in readings:
        if reading.record is None:
            yield reading
            continue
        width = reading.record.psf_fwhm * survey.pixel_scale
        is_known = name != EXTENDED and np.isfinite(width).any()
        try:
            how = BY_PSF if is_known else BY_APERTURE
            curve, notes = light_curve(reading.record, survey, **how)
        except ValueError as error:  # no flux, or a stamp too small for the aperture
            curve, notes = None, (str(error),)
        yield reading._replace(record=curve, notes=(*reading.notes, *notes))


@functools.cache
def _opened(name: str, data_dir: str) -> tuple[Records, Survey]:
    images = builder_of(name, data_dir=data_dir)
    return Records(images.as_data_source(split="all"), Record), images.survey
