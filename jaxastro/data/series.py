"""The record of an image time series: checked, sorted by time, in one unit."""

from typing import NamedTuple

import numpy as np

from jaxastro.data.record_checks import band_index, check_label
from jaxastro.errors import RecordError
from jaxastro.surveys import UNLABELLED, Survey


class SeriesRecord(NamedTuple):
    """An image time series on disk; its fields are the columns of the data set.

    Unknown numbers are NaN. `truth` is the true class of a simulated object, from which
    `label` may differ; it is empty for real objects and never used in training.
    """

    object_id: str
    ra: float  # degrees
    dec: float  # degrees
    label: str  # one of the survey's classes, or Unknown
    label_source: str  # spectroscopic, photometric, catalogue, simulated, none
    truth: str
    redshift: float
    group: str  # never split over folds: field, or 2 arcsec cluster
    flux: np.ndarray  # t y x  float32, the survey's unit per pixel
    mjd: np.ndarray  # t       float64, days
    band: np.ndarray  # t      int32, index into the survey's bands
    psf_fwhm: np.ndarray  # t  float32, arcsec
    noise: np.ndarray  # t     float32, standard deviation of an empty pixel
    gain: np.ndarray  # t      float32, electrons per ADU
    zero_point: np.ndarray  # t float32, AB magnitude of one ADU
    bad_pixel: np.ndarray  # t y x bool, True where flux is not a measurement

    OF_EPOCHS = (  # fields with the axis t
        "flux",
        "mjd",
        "band",
        "psf_fwhm",
        "noise",
        "gain",
        "zero_point",
        "bad_pixel",
    )


def make_series_record(
    object_id: str,
    survey: Survey,
    *,
    flux,
    mjd,
    band,
    label: str = UNLABELLED,
    label_source: str = "none",
    truth: str = "",
    ra: float = np.nan,
    dec: float = np.nan,
    redshift: float = np.nan,
    group: str = "",
    psf_fwhm=np.nan,
    noise=np.nan,
    gain=np.nan,
    zero_point=np.nan,
    bad_pixel=None,
) -> tuple[SeriesRecord, tuple[str, ...]]:
    """Returns a checked record, and one sentence for each repair.

    Epochs are sorted by time. Pixels that are not finite, equal a sentinel of the
    survey or are outside its valid range are marked bad, in addition to bad_pixel.
    Epochs without a good pixel are dropped. Notes report all of this.

    Args:
        object_id: name of the object in messages and predictions.
        survey: its bands, classes, image size, sentinels and valid range are used.
        flux: [t y x], the survey's unit per pixel.
        mjd: [t], modified Julian date, days.
        band: [t], indices into the survey's bands, or their names.
        label: one of the survey's classes, or "Unknown".
        label_source: spectroscopic, photometric, catalogue, simulated or none.
        truth: class of a simulated object; empty for real objects.
        ra: degrees, with dec.
        group: name of a set of objects that folds do not split; default: the object.
        psf_fwhm: arcsec; one number or [t], as noise, gain and zero_point.
        noise: standard deviation of an empty pixel, the survey's unit.
        gain: electrons per ADU.
        zero_point: AB magnitude of one ADU.
        bad_pixel: [t y x] bool, True for pixels that the survey flags.

    Raises:
        RecordError: if shapes disagree, no epoch is left, or a name is unknown.
    """
    where = f"Object {object_id}"
    flux = np.asarray(flux, np.float32)
    mjd = np.atleast_1d(np.asarray(mjd, np.float64))
    _check_frames(where, survey, flux, mjd, bad_pixel)
    check_label(where, survey, label, truth, label_source)
    columns = {"band": band_index(where, survey, band), "psf_fwhm": psf_fwhm}
    columns |= {"noise": noise, "gain": gain, "zero_point": zero_point}
    for name, column in columns.items():
        if np.ndim(column) and np.shape(column) != mjd.shape:
            raise RecordError(
                f"{where}: {name} has shape {np.shape(column)}, but there are "
                f"{len(mjd)} epochs. Give one value per epoch, or one for all."
            )

    bad, notes = _bad_pixels(survey, flux)
    if bad_pixel is not None:
        bad = bad | np.asarray(bad_pixel, bool)
    order = np.argsort(mjd, kind="stable")
    if (order != np.arange(len(mjd))).any():
        notes.append("epochs were out of order: sorted by time.")
    empty = bad.all(axis=(1, 2))
    if empty.any():
        notes.append(f"{int(empty.sum())} epochs have no good pixel: dropped.")
    order = order[~empty[order]]
    if not len(order):
        raise RecordError(
            f"{where}: no epoch with a good pixel. Remove the object or rebuild its "
            "file."
        )

    kinds = {name: np.float32 for name in columns} | {"band": np.int32}
    per_epoch = {
        name: np.broadcast_to(np.asarray(column, kinds[name]), mjd.shape)[order]
        for name, column in columns.items()
    }
    record = SeriesRecord(
        object_id=object_id,
        ra=float(ra),
        dec=float(dec),
        label=label,
        label_source=label_source,
        truth=truth,
        redshift=float(redshift),
        group=group or object_id,
        flux=np.where(bad, np.float32(0), flux)[order],
        mjd=mjd[order],
        bad_pixel=bad[order],
        **per_epoch,
    )
    return record, tuple(notes)


def _check_frames(where: str, survey: Survey, flux, mjd, bad_pixel) -> None:
    size = survey.image_size or max(flux.shape[1:], default=0)
    if flux.ndim != 3 or flux.shape[1:] != (size, size):
        raise RecordError(
            f"{where}: cutouts of shape {flux.shape}. {survey.name} has [epochs, "
            f"{size}, {size}]. Cut the frames to {size}x{size} pixels."
        )
    if len(flux) != len(mjd):
        raise RecordError(
            f"{where}: {len(flux)} cutouts but {len(mjd)} observation times. A record "
            "needs one time per cutout. Remove the object or rebuild its file."
        )
    if not np.isfinite(mjd).all():
        raise RecordError(
            f"{where}: {int((~np.isfinite(mjd)).sum())} of {len(mjd)} observation "
            "times are not numbers. Give every epoch an MJD or remove it."
        )
    if bad_pixel is not None and np.shape(bad_pixel) != flux.shape:
        raise RecordError(
            f"{where}: bad_pixel has shape {np.shape(bad_pixel)}, the cutouts "
            f"{flux.shape}. Give one flag per pixel."
        )


def _bad_pixels(survey: Survey, flux: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Returns [t y x] bool, True where flux is not a measurement, and notes."""
    notes = []
    bad = ~np.isfinite(flux) | np.isin(flux, np.float32(survey.sentinels))
    if bad.any():
        notes.append(f"{int(bad.sum())} pixels are NaN or sentinels: masked.")
    lowest, highest = survey.valid_range
    outside = ~bad & ((flux < lowest) | (flux > highest))
    if outside.any():
        notes.append(
            f"{int(outside.sum())} pixels lie outside {lowest:g} to {highest:g} "
            f"{survey.unit}: masked."
        )
    return bad | outside, notes
