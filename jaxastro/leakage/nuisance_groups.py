"""Groups of nuisance features: how an object was observed, not what it is.

    length      number of epochs, nights and days
    season      first night, seasons, months
    bands       share of the epochs in each band
    background  sky and noise in the corners of the images
    conditions  seeing, gain, zero point, noise as the survey reports them; image size
    position    position on the sky
    order       rank of the object's name among all names, as a substitute for the order
                of the raw files, which records do not keep

A model that uses them to classify has learned the survey instead of the objects. The
group "one epoch" is not a nuisance: a single frame may show the class of an object. It
is reported for comparison with the whole series, and never counts as a leak.
"""

import itertools
import re

import numpy as np

from jaxastro.data.record import Record, frames_of
from jaxastro.leakage.nuisance_baseline import (
    NUM_SEASON_BINS,
    conditions_of,
    corners_of,
    raw_sky_of,
    schedule_of,
)
from jaxastro.photometry import border_mask, centre_distance
from jaxastro.surveys import Survey

NUISANCE_GROUPS = (
    "length",
    "season",
    "bands",
    "background",
    "conditions",
    "position",
    "order",
)
ONE_EPOCH = "one epoch"
RAW_SKY = "background with sky"  # replaces "background" if images include the sky
SKY_IN_IMAGE = 3.0  # level of the darkest corners, in units of the pixel noise
RING = (0, 1.5, 3, 5, 8, 12)  # pixels, radii around the centre


def measure_groups(record: Record, survey: Survey) -> dict[str, dict[str, float]]:
    """Returns the features of each group, by name; NaN where unknown.

    Args:
        record: of any kind.
        survey: its bands and season are used.
    """
    place = {"x": np.nan, "y": np.nan, "z": np.nan}
    if np.isfinite(record.ra + record.dec):
        ra, dec = np.radians([record.ra, record.dec])
        # Cartesian coordinates, in which 359 and 1 degree are close to each other.
        equatorial = np.cos(dec)
        place = {
            "x": equatorial * np.cos(ra),
            "y": equatorial * np.sin(ra),
            "z": np.sin(dec),
        }
    groups = {"position": place}
    if hasattr(record, "mjd"):
        groups |= _schedule(record, survey)
    flux, bad_pixel, band = frames_of(record)
    if flux is not None:
        groups["background"] = corners_of(flux, bad_pixel, band)
        groups[RAW_SKY] = raw_sky_of(flux, bad_pixel)
        bad = groups["background"].pop("bad_corner_share")
        groups["conditions"] = {"bad_corner_share": bad}
        groups["conditions"] |= {"height": flux.shape[1], "width": flux.shape[2]}
        in_band = np.flatnonzero(band == np.bincount(band).argmax())
        middle = in_band[len(in_band) // 2]
        groups[ONE_EPOCH] = _frame_features(flux[middle], bad_pixel[middle])
    elif len(record.mjd):
        groups[ONE_EPOCH] = {"flux": record.flux[0], "flux_error": record.flux_error[0]}
    if hasattr(record, "psf_fwhm"):
        groups["conditions"] |= conditions_of(record)
    return groups


def name_ranks(names: list[str]) -> np.ndarray:
    """Returns [n], the rank of each name from 0 to 1, with b2 before b10."""

    def parts(i: int) -> list[tuple]:
        pieces = re.split(r"(\d+)", names[i])
        return [(int(p), "") if p.isdecimal() else (-1, p) for p in pieces]

    place = np.empty(len(names))
    place[sorted(range(len(names)), key=parts)] = np.linspace(0, 1, len(names))
    return place


def sky_is_in_images(level: np.ndarray, noise: np.ndarray) -> bool:
    """Returns whether the sky was left in the images of a data set.

    If it was, 90 % of the objects have bright corners. If it was subtracted, only
    objects with a bright host or neighbour have.

    Args:
        level: [n], median of the darkest corner, NaN where unknown.
        noise: [n], standard deviation of a pixel, in the same unit.
    """
    ratio = level / np.where(noise > 0, noise, np.nan)
    ratio = ratio[np.isfinite(ratio)]
    return bool(len(ratio) and np.quantile(ratio, 0.1) > SKY_IN_IMAGE)


def _schedule(record: Record, survey: Survey) -> dict[str, dict[str, float]]:
    schedule = schedule_of(record.mjd, record.band, survey)
    epochs = max(schedule["num_epochs"], 1)
    names = ("num_epochs", "num_nights", "span_days")
    length = {name: schedule[name] for name in names}
    if hasattr(record, "history_kind"):
        kinds = np.bincount(record.history_kind, minlength=3)
        length |= {f"history_{kind}": count for kind, count in enumerate(kinds)}
    slots = [f"season_{slot:02d}" for slot in range(NUM_SEASON_BINS)]
    names = ("median_gap_days", "num_seasons", *slots)
    season = {name: schedule[name] for name in names}
    season["first_mjd"] = record.mjd[0] if len(record.mjd) else np.nan
    bands = {band: schedule[f"epochs_{band}"] / epochs for band in survey.bands}
    return {"length": length, "season": season, "bands": bands}


def _frame_features(frame: np.ndarray, bad_pixel: np.ndarray) -> dict[str, float]:
    """Returns features of a single frame: sky, peak, and mean light in rings."""
    good = np.where(bad_pixel, np.nan, frame).astype(np.float64)
    border = good[border_mask(frame.shape, min(3, min(frame.shape) // 4))]
    sky = np.nanmedian(border) if np.isfinite(border).any() else np.nan
    distance = centre_distance(frame.shape)
    features = {"sky": sky, "peak": _reduce(np.nanmax, good - sky)}
    for inner, outer in itertools.pairwise(RING):
        ring = (distance >= inner) & (distance < outer)
        features[f"ring_{inner:g}"] = _reduce(np.nanmean, good[ring] - sky)
    core = good[distance < RING[-1]] - sky
    features["scatter"] = _reduce(np.nanstd, core)
    return features


def _reduce(function, value: np.ndarray) -> float:
    return float(function(value)) if np.isfinite(value).any() else np.nan
