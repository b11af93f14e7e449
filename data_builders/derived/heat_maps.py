"""Heat maps of the light curves of another data set, object by object.

    import data_builders
    records = data_builders.load("heat_maps/light_curves.sdss_sn_sim.laptop")

A heat map is a Gaussian process fitted to the light curves of all bands. Fitting takes
longer than training on the heat maps, so it is done once. Objects, labels and groups
are those of the light curves, and so are the folds. Data card: heat_maps.md.
"""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from data_builders.derived.builder import Derived, Part, readings_of
from data_builders.registry import reader_of
from jaxastro.data.cutout import CutoutRecord
from jaxastro.data.record import Reading
from jaxastro.surveys import SURVEYS, Survey


class HeatMaps(Derived):
    """Flux and its error over wavelength and time, by Gaussian processes."""

    SURVEY = SURVEYS["heat_maps"]
    PART_SIZE = 256
    DESCRIPTION = "Heat maps of another survey's light curves, by Gaussian processes."

    def read_part(self, part: Part) -> Iterator[Reading]:
        """Yields the heat maps of some objects."""
        return heat_maps_of(*readings_of(part))


def read(path: Path, survey: Survey) -> Iterator[Reading]:
    """Yields heat maps of the raw light curves, or images, of a file or folder.

    Args:
        path: raw data of the light curves, or of their images.
        survey: facts of the data set of heat maps.
    """
    name, _, images = survey.name.partition("/")[2].partition(".")
    read_curves, curves = reader_of(name), SURVEYS[name]
    if not images:
        return heat_maps_of(read_curves(path), curves)
    curves = survey._replace(name=f"{name}/{images}", kind=curves.kind, shape=())
    return heat_maps_of(read_curves(path, curves), curves)


def recognises(path: Path) -> bool:
    """Returns False: raw light curves are recognised by their own survey."""
    del path
    return False


def heat_maps_of(readings: Iterable[Reading], survey: Survey) -> Iterator[Reading]:
    """Yields the heat map of each light curve; readings without record unchanged.

    Args:
        readings: of light curves.
        survey: facts of the light curves.
    """
    from jaxastro.photometry.heat_map import (
        draw_heat_maps,  # loads JAX: only where maps are drawn
    )

    readings = iter(readings)
    while some := list(itertools.islice(readings, HeatMaps.PART_SIZE)):
        curves = [reading.record for reading in some if reading.record]
        heat_maps = iter(draw_heat_maps(curves, survey))
        for reading in some:
            yield _mapped(reading, next(heat_maps)) if reading.record else reading


def _mapped(reading: Reading, heat_map) -> Reading:
    if heat_map.error:
        return reading._replace(record=None, notes=(*reading.notes, heat_map.error))
    curve = reading.record
    same = {
        name: getattr(curve, name) for name in CutoutRecord._fields if name != "image"
    }
    return reading._replace(record=CutoutRecord(image=heat_map.image, **same))
