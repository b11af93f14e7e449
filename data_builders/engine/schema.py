"""Schema of all data sets: the columns of each kind of record.

`python -m data_builders schema` prints it and docs/schema.md explains it. The TFDS
features, that page and the metadata of Parquet files are generated from these tables.
"""

import json
from typing import NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from jaxastro.data.record import RECORD_TYPES
from jaxastro.surveys import Survey

FLUX = "{flux}"  # the survey's unit of flux, filled in by unit_of
SURVEYS_UNIT = "survey's unit"
PER_PIXEL = "{flux} per pixel"


DESCRIBED = ("type", "shape", "unit", "meaning", "if unknown")  # of a column
FACTS = (  # of a survey that are printed and exported
    "kind",
    "bands",
    "wavelength",
    "classes",
    "unit",
    "pixel_scale",
    "columns",
    "citation",
)


class Column(NamedTuple):
    """One column of a kind of record."""

    dtype: type  # str is UTF-8 text
    axes: str  # one letter per axis: t epochs, y x pixels, h history, f numbers
    unit: str  # "" for text, flags and counts
    meaning: str
    missing: str = ""  # value if unknown; "" if the value is always known


NAN = "NaN"
OBJECT = {  # in records of every kind
    "object_id": Column(str, "", "", "name of the object, unique in the data set"),
    "ra": Column(np.float64, "", "deg", "right ascension, ICRS", NAN),
    "dec": Column(np.float64, "", "deg", "declination, ICRS", NAN),
    "label": Column(
        str, "", "", "class given by the survey, one of its classes", "Unknown"
    ),
    "label_source": Column(
        str,
        "",
        "",
        "origin of the label: spectroscopic, photometric, catalogue, simulated",
        "none",
    ),
    "truth": Column(
        str, "", "", "true class of a simulated object; never train on it", "empty"
    ),
    "redshift": Column(np.float64, "", "", "heliocentric redshift", NAN),
    "group": Column(
        str, "", "", "objects of one group stay in one fold: field, 2 arcsec cluster"
    ),
}
MJD = Column(np.float64, "t", "d", "modified Julian date, in order of time")
BAND = Column(np.int32, "t", "", "index into the survey's bands")
SERIES = {
    "flux": Column(
        np.float32, "tyx", PER_PIXEL, "flux of each pixel", "0, and bad_pixel"
    ),
    "mjd": MJD,
    "band": BAND,
    "psf_fwhm": Column(np.float32, "t", "arcsec", "seeing: width of the PSF", NAN),
    "noise": Column(
        np.float32, "t", PER_PIXEL, "standard deviation of an empty pixel", NAN
    ),
    "gain": Column(np.float32, "t", "electron/adu", "gain", NAN),
    "zero_point": Column(np.float32, "t", "mag(AB)", "magnitude of one ADU", NAN),
    "bad_pixel": Column(np.bool_, "tyx", "", "True where flux is no measurement"),
}
LIGHT_CURVE = {
    "flux": Column(np.float32, "t", FLUX, "flux of the object"),
    "flux_error": Column(np.float32, "t", FLUX, "one standard deviation of flux"),
    "mjd": MJD,
    "band": BAND,
    "features": Column(
        np.float64, "f", "", "numbers of the survey's catalogue, in its order", NAN
    ),
}
ALERTS = {
    "alert_id": Column(np.int64, "t", "", "number of the alert packet"),
    "mjd": MJD,
    "band": BAND,
    "stamp": Column(
        np.float32,
        "tyx3",
        PER_PIXEL,
        "science, template, and science minus template",
        "0, and bad_pixel",
    ),
    "bad_pixel": Column(np.bool_, "tyx3", "", "True where stamp is no measurement"),
    "metadata": Column(
        np.float64, "tf", "", "numbers of the packet: the survey's columns", NAN
    ),
    "history_mjd": Column(
        np.float64, "h", "d", "modified Julian dates of all packets, without repeats"
    ),
    "history_band": Column(np.int32, "h", "", "index into the survey's bands"),
    "history_kind": Column(
        np.int32, "h", "", "0 detection, 1 upper limit, 2 forced photometry"
    ),
    "history_flux": Column(
        np.float32, "h", FLUX, "difference flux; 5 sigma for an upper limit", NAN
    ),
    "history_flux_error": Column(
        np.float32, "h", FLUX, "one standard deviation of history_flux", NAN
    ),
}
CUTOUT = {
    "image": Column(
        np.float32, "yxd", PER_PIXEL, "one image, with a channel d for each band", NAN
    ),
    "mjd": MJD,
    "band": BAND,
}
FURTHER = {  # kind of record -> its columns that other kinds do not have
    "series": SERIES,
    "light_curve": LIGHT_CURVE,
    "alerts": ALERTS,
    "cutout": CUTOUT,
}
COLUMNS = {kind: OBJECT | further for kind, further in FURTHER.items()}


def record_features(survey: Survey) -> tfds.features.FeaturesDict:
    """Returns the TFDS features of a survey, named like the fields of its records."""
    columns = COLUMNS[survey.kind]
    return tfds.features.FeaturesDict(
        {
            name: _feature(columns[name], survey)
            for name in RECORD_TYPES[survey.kind]._fields
        }
    )


def unit_of(column: Column, flux: str) -> str:
    """Returns the unit of a column.

    Args:
        column: of any kind of record.
        flux: unit of flux of the survey.
    """
    return column.unit.format(flux=flux)


def dtype_name(column: Column) -> str:
    """Returns "text" or the name of the NumPy type."""
    return "text" if column.dtype is str else np.dtype(column.dtype).name


def describe_columns(
    columns: dict[str, Column], *, flux: str = SURVEYS_UNIT
) -> dict[str, dict[str, str]]:
    """Returns type, shape, unit, meaning and missing value of each column, as text."""
    return {name: _description(column, flux) for name, column in columns.items()}


def facts_of(survey: Survey) -> dict:
    """Returns the facts of a survey; unknown numbers are None, as JSON has no NaN."""
    facts = json.dumps({fact: getattr(survey, fact) for fact in FACTS})
    return json.loads(facts, parse_constant=lambda _: None)


def _description(column: Column, flux: str) -> dict[str, str]:
    shape = f"[{' '.join(column.axes)}]" if column.axes else ""
    unit = unit_of(column, flux)
    values = dtype_name(column), shape, unit, column.meaning, column.missing
    return dict(zip(DESCRIBED, values, strict=True))


def _feature(column: Column, survey: Survey) -> tfds.features.FeatureConnector:
    unit = unit_of(column, survey.unit)
    doc = f"{column.meaning} [{unit}]" if unit else column.meaning
    if column.dtype is str:
        return tfds.features.Text(doc=doc)
    shape = tuple(int(axis) if axis.isdigit() else None for axis in column.axes)
    if survey.image_size and column.axes.startswith("tyx"):
        shape = (None, survey.image_size, survey.image_size, *shape[3:])
    # Without encoding="bytes" TFDS stores float64 as float32: MJD wrong by minutes.
    return tfds.features.Tensor(
        shape=shape, dtype=column.dtype, encoding="bytes", doc=doc
    )
