"""The record of a light curve: checked, sorted by time, in one unit."""

from typing import NamedTuple

import numpy as np

from jaxastro.data.evenly_spaced import evenly_spaced
from jaxastro.data.record_checks import band_index, check_label
from jaxastro.errors import RecordError
from jaxastro.surveys import UNLABELLED, Survey


class LightCurveRecord(NamedTuple):
    """A light curve on disk; its fields are the columns of the data set.

    Unknown numbers are NaN. Records of a catalogue without light curves have no epochs.
    """

    object_id: str
    ra: float  # degrees
    dec: float  # degrees
    label: str  # one of the survey's classes, or Unknown
    label_source: str  # spectroscopic, photometric, catalogue, simulated, none
    truth: str  # the class a simulation drew; empty for real objects
    redshift: float
    group: str  # never split over folds: field, or 2 arcsec cluster
    flux: np.ndarray  # t        float32, the survey's unit
    flux_error: np.ndarray  # t  float32, one standard deviation
    mjd: np.ndarray  # t         float64, days
    band: np.ndarray  # t        int32, index into the survey's bands
    features: np.ndarray  # f    float64, the survey's columns, from its catalogue

    OF_EPOCHS = ("flux", "flux_error", "mjd", "band")  # fields with the axis t


def make_light_curve_record(
    object_id: str,
    survey: Survey,
    *,
    flux,
    flux_error,
    mjd,
    band,
    features: dict[str, float] | None = None,
    label: str = UNLABELLED,
    label_source: str = "none",
    truth: str = "",
    ra: float = np.nan,
    dec: float = np.nan,
    redshift: float = np.nan,
    group: str = "",
) -> tuple[LightCurveRecord, tuple[str, ...]]:
    """Returns a checked record, and one sentence for each repair.

    Epochs are sorted by time. Epochs without a finite flux and time and a positive
    error are dropped, and so are exact repeats; notes report both.

    Args:
        object_id: name of the object in messages and predictions.
        survey: its bands, classes and columns are used.
        flux: [t], the survey's unit, with flux_error [t] in the same unit.
        mjd: [t], modified Julian date, days.
        band: [t], indices into the survey's bands, or their names.
        features: name in survey.columns -> catalogue value; others are NaN.
        label: one of the survey's classes, or "Unknown".
        label_source: spectroscopic, photometric, catalogue, simulated or none.
        truth: class of a simulated object; empty for real objects.
        ra: degrees, with dec.
        group: name of a set of objects that folds do not split; default: the object.

    Raises:
        RecordError: if shapes disagree, a name is unknown, or there is neither an
            epoch nor a feature.
    """
    where, notes = f"Object {object_id}", []
    with np.errstate(over="ignore"):  # an overflow of float32 drops the epoch
        flux, flux_error = (
            np.atleast_1d(np.asarray(v, float)).astype(np.float32)
            for v in (flux, flux_error)
        )
    mjd = np.atleast_1d(np.asarray(mjd, float))
    check_label(where, survey, label, truth, label_source)
    band = band_index(where, survey, np.atleast_1d(band))
    shapes = {v.shape for v in (flux, flux_error, mjd, band)}
    if len(shapes) > 1 or flux.ndim != 1:
        raise RecordError(
            f"{where}: flux, flux_error, mjd and band have shapes {flux.shape}, "
            f"{flux_error.shape}, {mjd.shape}, {band.shape}. A light curve has one of "
            "each per epoch. Rebuild the object's table."
        )
    good = np.isfinite(flux) & np.isfinite(mjd) & np.isfinite(flux_error)
    good &= flux_error > 0
    if not good.all():
        notes.append(
            f"{int((~good).sum())} epochs have no number, or an error that is not "
            "positive: dropped."
        )
    order = np.flatnonzero(good)
    order = order[np.lexsort((flux_error[order], flux[order], band[order], mjd[order]))]
    columns = np.stack([v[order] for v in (mjd, band, flux, flux_error)])
    repeat = np.zeros(len(order), bool)
    repeat[1:] = (np.diff(columns) == 0).all(axis=0)
    if repeat.any():
        notes.append(f"{int(repeat.sum())} epochs are exact repeats: dropped.")
    order = order[~repeat]
    features = features or {}
    names = [name for name, _ in survey.columns]
    unknown = sorted(set(features) - set(names))
    if unknown:
        raise RecordError(
            f"{where}: unknown column {unknown[0]!r}. {survey.name} has "
            f"{', '.join(names) or 'none'}. Add it to surveys.py."
        )
    if not len(order) and not features:
        raise RecordError(
            f"{where}: no epoch with a flux, an error and a time. Remove the object or "
            "rebuild its table."
        )
    curve = LightCurveRecord(
        object_id=object_id,
        ra=float(ra),
        dec=float(dec),
        label=label,
        label_source=label_source,
        truth=truth,
        redshift=float(redshift),
        group=group or object_id,
        flux=flux[order],
        flux_error=flux_error[order],
        mjd=mjd[order],
        band=band[order],
        features=np.array([features.get(name, np.nan) for name in names], float),
    )
    return curve, tuple(notes)


def bright_epochs(record: LightCurveRecord, band: int, most: int) -> np.ndarray:
    """Returns the indices of a band's epochs with positive flux, which have magnitudes.

    Args:
        most: largest number; of more epochs, evenly spaced ones are kept.
    """
    seen = np.flatnonzero((record.band == band) & (record.flux > 0))
    return seen[evenly_spaced(len(seen), most)]
