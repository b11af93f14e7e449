"""Features of an image series: matched apertures, and changes since other seasons.

The brightest season of an object is compared with its other seasons, which show it (or
its host galaxy alone) at rest. Changes are described relative to the time of the
largest one, so that the shape and the colours of an outburst are seen at once.
"""

from itertools import pairwise

import numpy as np

from jaxastro.data.series import SeriesRecord
from jaxastro.photometry.light_curve import photon_variance
from jaxastro.photometry.matched import matched_photometry
from jaxastro.surveys import Survey

APERTURES = (3.5, 5.0)  # pixels, seeing and aperture together
SEASON_GAP = 60.0  # days without an epoch that separate seasons
VISIT = 0.33  # days; epochs closer than this belong to one visit
NEAR = 8.0  # days from the largest change, within which colours are measured
LATER = (12.0, 35.0)  # days after the largest change, for the later colours
DAYS = (-60.0, -20.0, -8.0, 4.0, 15.0, 30.0, 60.0, 91.0)  # bins around it
OF_OBJECT = ("peak_ratio", "season_ratio", "days_to_peak", "days_after_peak")
OF_BAND = (
    "rest_flux",
    "rest_flux_wide",
    "rest_concentration",
    "rest_point_share",
    "largest_change",
    "largest_ratio",
    "smallest_ratio",
    "largest_relative_change",
    "mean_square_ratio",
    "mean_ratio",
    "second_ratio",
    "mean_day_of_light",
    "spread_of_light",
    "rest_mean_square_ratio",
    "rest_largest_ratio",
    "rest_smallest_ratio",
    *(f"change_{a:.0f}_{b:.0f}" for a, b in pairwise(DAYS)),
    "chi_square",
    "skewness",
    "range",
    "neumann",
    "share_beyond_two_errors",
    "median_flux",
)
COLOURS = ("peak", "later", "rest", "rest_wide")
_TINY = 1e-9  # avoids a division by zero


def matched_feature_names(survey: Survey) -> tuple[str, ...]:
    """Returns the names of the features, in the order of matched_features."""
    bands = survey.bands
    pairs = [f"{a}-{b}" for a, b in pairwise(bands)]
    return (
        *OF_OBJECT,
        *(f"{band}_{name}" for band in bands for name in OF_BAND),
        *(f"{kind}_{pair}" for kind in COLOURS for pair in pairs),
        *(f"{band}_decline" for band in bands),
    )


def matched_features(record: SeriesRecord, survey: Survey) -> np.ndarray:
    """Returns 4 features of an object, 30 and more of each band, and colours.

    Fluxes enter as asinh(flux / 2 error), changes in units of their errors, so that
    faint and bright objects are comparable. NaN for what was not observed, and for all
    features if the seeing is unknown.
    """
    curve = _measure(record, survey)
    number = len(survey.bands)
    if not len(curve["mjd"]):
        return np.full(len(matched_feature_names(survey)), np.nan, np.float32)
    season = np.cumsum(np.diff(curve["mjd"], prepend=-np.inf) > SEASON_GAP)
    scores = {k: _score_of_season(curve, season == k, number) for k in set(season)}
    main = max(scores, key=lambda k: (np.nan_to_num(scores[k], nan=-np.inf), -k))
    inside = season == main
    rest = _rest_fluxes(curve, inside, number)
    change = curve["flux"] - rest["flux"][curve["band"]]
    ratio = change / curve["error"]
    peak_ratio, peak_day = _find_peak(curve, inside, ratio)
    days = curve["mjd"] - peak_day
    first, last = curve["mjd"][inside][[0, -1]]
    values = [peak_ratio, scores[main], peak_day - first, last - peak_day]
    for band in range(number):
        values += _of_band(curve, band, inside, rest, change, ratio, days)
    near = inside & (abs(days) < NEAR)
    later = inside & (days > LATER[0]) & (days < LATER[1])
    peak, decline = (
        np.array([_mean(change, curve, mask, b) for b in range(number)])
        for mask in (near, later)
    )
    scale = rest["scale"]
    for fluxes in (peak, decline, rest["flux"], rest["wide"]):
        values += list(np.diff(np.arcsinh(fluxes / np.nanmedian(scale))))
    values += list(decline / (abs(peak) + scale))
    return np.array(values, np.float32)


def _measure(record: SeriesRecord, survey: Survey) -> dict[str, np.ndarray]:
    """Returns the columns of the light curve that can be measured, sorted by time."""
    flux, error = matched_photometry(
        record.flux,
        record.bad_pixel,
        psf_fwhm=record.psf_fwhm / survey.pixel_scale,
        noise=record.noise,
        apertures=APERTURES,
        photon=photon_variance(record, survey),
    )
    known = np.isfinite(flux).all(axis=1) & (error > 0).all(axis=1)
    return {
        "mjd": record.mjd[known],
        "band": record.band[known],
        "point": flux[known, 0],
        "flux": flux[known, 1],
        "error": error[known, 1],
        "wide": flux[known, 2],
    }


def _weighted_mean(flux: np.ndarray, error: np.ndarray) -> tuple[float, float]:
    weight = error**-2.0
    total = weight.sum()
    return float((weight * flux).sum() / total), float(total**-0.5)


def _mean(change, curve, mask, band: int) -> float:
    rows = mask & (curve["band"] == band)
    return (
        _weighted_mean(change[rows], curve["error"][rows])[0] if rows.any() else np.nan
    )


def _score_of_season(curve, inside: np.ndarray, number: int) -> float:
    """Returns the mean over bands of the three largest changes since other seasons."""
    scores = []
    for band in range(number):
        here = (curve["band"] == band) & inside
        other = (curve["band"] == band) & ~inside
        if here.any() and other.any():
            rest, spread = _weighted_mean(curve["flux"][other], curve["error"][other])
            error = np.hypot(curve["error"][here], spread)
            ratio = (curve["flux"][here] - rest) / error
            scores.append(np.sort(ratio)[-3:].mean())
    return float(np.mean(scores)) if scores else np.nan


def _rest_fluxes(curve, inside: np.ndarray, number: int) -> dict[str, np.ndarray]:
    """Returns the mean flux of each band outside the season, if it was observed."""
    found = {name: np.full(number, np.nan) for name in ("flux", "wide", "point")}
    found["scale"] = np.full(number, np.nan)
    for band in range(number):
        mine = curve["band"] == band
        rows = mine & ~inside if (mine & ~inside).any() else mine
        if rows.any():
            for name in ("flux", "wide", "point"):
                mean, _ = _weighted_mean(curve[name][rows], curve["error"][rows])
                found[name][band] = mean
            found["scale"][band] = np.median(curve["error"][mine])
    return found


def _find_peak(curve, inside: np.ndarray, ratio: np.ndarray) -> tuple[float, float]:
    """Returns the largest signal to noise of a visit in the season, and its time."""
    visit = np.cumsum(np.diff(curve["mjd"], prepend=-np.inf) > VISIT)
    best, when = -np.inf, curve["mjd"][inside][0]
    for number in np.unique(visit[inside]):
        rows = inside & (visit == number)
        total = ratio[rows].sum() / np.sqrt(rows.sum())
        if total > best:
            best, when = total, curve["mjd"][rows][0]
    return float(best), float(when)


def _of_band(curve, band, inside, rest, change, ratio, days) -> list[float]:
    mine = curve["band"] == band
    if not mine.any():
        return [np.nan] * len(OF_BAND)
    scale, level = rest["scale"][band], rest["flux"][band]
    bright = abs(level) + scale

    def compress(flux: float) -> float:
        return float(np.arcsinh(flux / (2 * scale)))

    values = [
        compress(level),
        compress(rest["wide"][band]),
        rest["wide"][band] / bright,
        rest["point"][band] / bright,
    ]
    here, other = mine & inside, mine & ~inside
    if here.any():
        largest, light = change[here].max(), np.maximum(change[here], 0)
        total = light.sum() + _TINY
        values += [
            compress(largest),
            ratio[here].max(),
            ratio[here].min(),
            largest / bright,
            (ratio[here] ** 2).mean(),
            ratio[here].mean(),
            np.sort(ratio[here])[-2:].mean(),
            (light * days[here]).sum() / total,
            np.sqrt((light * days[here] ** 2).sum() / total),
        ]
    else:
        values += [np.nan] * 9
    if other.any():
        values += [(ratio[other] ** 2).mean(), ratio[other].max(), ratio[other].min()]
    else:
        values += [np.nan] * 3
    for low, high in pairwise(DAYS):
        values.append(
            _mean(change, curve, inside & (days >= low) & (days < high), band) / scale
        )
    flux, error = curve["flux"][mine], curve["error"][mine]
    median, deviation = np.median(flux), flux - flux.mean()
    pull = (flux - median) / error
    return [
        *values,
        (pull**2).mean(),
        (deviation**3).mean() / (flux.std() + _TINY) ** 3,
        np.ptp(flux) / (abs(median) + scale),
        (np.diff(flux) ** 2).sum() / (2 * len(flux) * flux.var() + _TINY),
        (abs(pull) > 2).mean(),
        compress(median),
    ]
