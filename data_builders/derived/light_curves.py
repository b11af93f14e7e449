"""Light curves measured on the images of another data set, object by object.

    import data_builders
    records = data_builders.load("light_curves/sdss_sn_sim.laptop")

Objects, labels and groups are those of the images, and so are the folds: models of
light curves and of images can be compared object by object. Data card: light_curves.md.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from data_builders.derived.builder import Derived, Part, readings_of
from data_builders.registry import reader_of
from jaxastro.data.record import Reading
from jaxastro.photometry import measure_light_curve
from jaxastro.surveys import SURVEYS, Survey

# Arguments of photometry.light_curve. Stamps are cut at integer pixels.
BY_PSF, BY_APERTURE = {"drift": 0.3}, {"radius": 6.0}
EXTENDED = "planted"  # survey of extended galaxies, whose PSF is known


class LightCurves(Derived):
    """Light curves of the objects of a data set of images."""

    SURVEY = SURVEYS["light_curves"]
    PART_SIZE = 64
    DESCRIPTION = (
        "Light curves by PSF or aperture photometry on another survey's images."
    )

    def read_part(self, part: Part) -> Iterator[Reading]:
        """Yields the light curves of some objects."""
        readings, survey = readings_of(part)
        return light_curves_of(readings, survey, part.name.partition("/")[0])


def read(path: Path, survey: Survey) -> Iterator[Reading]:
    """Yields light curves of the raw images in a file or folder.

    Args:
        path: raw data of the images.
        survey: facts of the data set of light curves.
    """
    name = survey.name.partition("/")[2]
    read_images, known = reader_of(name), SURVEYS[name]
    if known.classes:
        return light_curves_of(read_images(path), known, name)
    survey = survey._replace(kind="series")  # with its own bands and classes
    return light_curves_of(read_images(path, survey), survey, name)


def recognises(path: Path) -> bool:
    """Returns False: raw images are recognised by their own survey."""
    del path
    return False


def light_curves_of(
    readings: Iterable[Reading], survey: Survey, name: str
) -> Iterator[Reading]:
    """Yields the light curve of each record; readings without record unchanged.

    Photometry is by PSF, or by aperture if the width of the PSF is unknown.

    Args:
        readings: of image time series.
        survey: facts of the images.
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
