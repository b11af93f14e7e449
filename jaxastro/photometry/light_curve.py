"""Measures the light curve of an image series: SeriesRecord to LightCurveRecord."""

import numpy as np

from jaxastro.data.light_curve import LightCurveRecord, make_light_curve_record
from jaxastro.data.series import SeriesRecord
from jaxastro.errors import InputError, RecordError
from jaxastro.photometry.aperture import aperture_light_curve
from jaxastro.photometry.forced import MIN_SEEN, fill, psf_photometry
from jaxastro.surveys import Survey
from jaxastro.units import microjansky_per_adu

# Reasons why epochs have no flux or an incomplete error.
NO_PSF = (
    "no PSF width, or one that is too narrow: no flux. Give psf_fwhm, fit_fwhm=True "
    "for a bright star, or a radius."
)
HIDDEN = f"less than {MIN_SEEN:.0%} of the PSF on good pixels: no flux."
NOT_MEASURABLE = (
    "no noise, no reference epoch (steady), or no bright point source for a PSF width "
    "(fit_fwhm): no flux."
)
NO_SKY = "a bad pixel in the aperture, or no sky: no flux."
NO_PHOTONS = "no gain or zero point: the error omits the photon noise of the object."


def measure_light_curve(
    record: SeriesRecord, survey: Survey, *, radius: float | None = None, **settings
) -> tuple[LightCurveRecord, tuple[str, ...]]:
    """Returns the light curve of an image series, and notes on its epochs.

    By default this is PSF photometry with the settings of `psf_photometry`: psf_fwhm
    in arcsec (default: that of the record), centre, drift, find_centre, fit_fwhm,
    steady (band by band) and rest. If a radius is given, it is aperture photometry,
    which needs no PSF and has larger errors.

    Gain and zero point give the photon noise of the object; if the record has none,
    the errors omit it. Epochs without a flux are dropped. The notes report both, one
    sentence each.

    Args:
        record: the image series.
        survey: its flux unit, pixel scale and bands are used.
        radius: of an aperture at the centre of the stamp, pixels.
    Raises:
        RecordError: if no epoch is left.
        InputError: if settings disagree.
    """
    photon = photon_variance(record, survey)
    if radius is None:
        flux, error, notes = _by_psf(record, survey, photon, **settings)
    elif settings:
        raise InputError(
            f"radius={radius} together with {', '.join(settings)}. A radius selects "
            "aperture photometry, the other settings are of PSF photometry. Give one "
            "or the other."
        )
    else:
        flux, error = aperture_light_curve(
            record.flux, record.bad_pixel, radius=radius, photon=photon
        )
        notes = [(np.isnan(flux), NO_SKY)]
    notes.append((np.isnan(photon) & np.isfinite(flux), NO_PHOTONS))
    notes = [f"{int(m.sum())} epochs have {what}" for m, what in notes if m.any()]
    if not np.isfinite(flux).any():
        raise RecordError(
            f"Object {record.object_id}: no epoch has a flux. {' '.join(notes)}"
        )
    same = ("label", "label_source", "truth", "ra", "dec", "redshift", "group")
    curve, more_notes = make_light_curve_record(
        record.object_id,
        survey,
        flux=flux,
        flux_error=error,
        mjd=record.mjd,
        band=record.band,
        **{name: getattr(record, name) for name in same},
    )
    return curve, (*notes, *more_notes)


def photon_variance(record: SeriesRecord, survey: Survey) -> np.ndarray:
    """Returns [t], the photon variance per unit of flux; NaN if it is unknown.

    With `gain` electrons per ADU and u = 10^(-0.4 (zero_point - 23.9)) microjansky per
    ADU, the variance is
        flux / gain in ADU,    u flux / gain in microjansky
    """
    per_adu = 1 / np.where(record.gain > 0, record.gain, np.nan)
    if survey.unit == "microjansky":
        per_adu *= microjansky_per_adu(record.zero_point)
    elif survey.unit != "ADU":
        per_adu *= np.nan
    return per_adu


def _by_psf(record: SeriesRecord, survey: Survey, photon, *, steady=False, **settings):
    """Returns flux and error [t], and pairs of epochs [t] and the reason they lack."""
    shape = record.mjd.shape
    columns = {"flux": record.flux, "bad_pixel": record.bad_pixel, "photon": photon}
    columns["noise"] = record.noise
    fwhm = settings.pop("psf_fwhm", record.psf_fwhm)
    columns["psf_fwhm"] = fill("psf_fwhm", fwhm, shape) / survey.pixel_scale
    for name, axes in (("centre", (2,)), ("rest", ())):
        if name in settings:
            columns[name] = fill(name, settings.pop(name), shape + axes)
    flux, error, seen, width = np.full((4, *shape), np.nan)
    bands = np.unique(record.band) if steady else [None]
    for band in bands:
        rows = np.ones(shape, bool) if band is None else record.band == band
        found = psf_photometry(
            **{name: column[rows] for name, column in columns.items()},
            steady=steady,
            **settings,
        )
        flux[rows], error[rows] = found.flux, found.error
        seen[rows], width[rows] = found.seen, found.psf_fwhm
    lost, no_psf, hidden = np.isnan(flux), np.isnan(width), seen < MIN_SEEN
    missing = [
        (lost & no_psf, NO_PSF),
        (lost & ~no_psf & hidden, HIDDEN),
        (lost & ~no_psf & ~hidden, NOT_MEASURABLE),
    ]
    return flux, error, missing
