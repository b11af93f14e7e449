"""Light curves measured on the images of another survey, object by object.

import data_builders, tensorflow_datasets as tfds
builder = tfds.builder("light_curves/sdss_sn_sim.laptop")  # the images' data set
builder.download_and_prepare()
source = builder.as_data_source("all")

Objects, labels and groups are those of the images, so are the folds: networks on light
curves and on images can be compared object by object. The data card is light_curves.md.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from data_builders.derived.builder import Derived, Part, readings_of
from data_builders.registry import reader_of
from jaxastro.data.record import Reading
from jaxastro.photometry import measure_light_curve
from jaxastro.surveys import SURVEYS, Survey

# How images are measured: light_curve's arguments. Stamps are cut at whole pixels.
BY_PSF, BY_APERTURE = {"drift": 0.3}, {"radius": 6.0}
EXTENDED = "planted"  # whose galaxies are no points; its PSF is known


class LightCurves(Derived):
    """Light curves of the objects of a data set of images, by our own photometry."""

    SURVEY = SURVEYS["light_curves"]
    PART_SIZE = 64
    DESCRIPTION = (
        "Light curves by PSF or aperture photometry on another survey's images."
    )

    def read_part(self, part: Part) -> Iterator[Reading]:
        """Yields the light curves of some objects."""
        readings, survey = readings_of(part)
        return measured(readings, survey, part.name.partition("/")[0])


def read(path: Path, survey: Survey) -> Iterator[Reading]:
    """Yields light curves of the raw images in a file or folder.

    Args:
        path: as the builder of the images reads it.
        survey: the facts of the light curves' data set.
    """
    name = survey.name.partition("/")[2]
    read_images, known = reader_of(name), SURVEYS[name]
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
            curve, notes = measure_light_curve(reading.record, survey, **how)
        except ValueError as error:  # no flux, or a stamp too small for the aperture
            curve, notes = None, (str(error),)
        yield reading._replace(record=curve, notes=(*reading.notes, *notes))
