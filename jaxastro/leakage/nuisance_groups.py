"""What can be told of an object without looking at it, clue by clue.

    length      how many epochs, nights and days
    season      when: the first night, the seasons, the months
    bands       which share of the epochs is in which band
    background  sky and noise in the corners of the images
    conditions  seeing, gain, zero point, noise as the survey says; size of the images
    position    where on the sky
    order       which place its name has among all names, as the raw files' order is
                lost when records are stored

Each is a nuisance: a model that tells a class by it has learned the survey, not the
sky. A single epoch is not. One frame may well show what an object is, and what a
sequence adds to it is worth knowing; so it is the last clue, reported, never judged.
"""

import itertools
import re

import numpy as np

from jaxastro.data.record import frames_of
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
    *("length", "season", "bands", "background", "conditions", "position", "order"),
)
ONE_EPOCH = "one epoch"
RAW_SKY = "background, with the sky"  # takes the place of it where the sky is
SKY_IN_IMAGE = 3.0  # times the noise of a pixel that the darkest corners are bright
RING = (0, 1.5, 3, 5, 8, 12)  # pixels, radii around the centre


def measure_groups(record: tuple, survey: Survey) -> dict[str, dict[str, float]]:
    """Returns the numbers of each clue, by name; NaN where unknown.

    Args:
        record: of any kind: series, light curve, alerts or cutout.
        survey: whose bands and season hold.
    """
    place = {"x": np.nan, "y": np.nan, "z": np.nan}
    if np.isfinite(record.ra + record.dec):
        ra, dec = np.radians([record.ra, record.dec])
        across = np.cos(dec)  # without this 359 and 1 degree were far from each other
        place = {"x": across * np.cos(ra), "y": across * np.sin(ra), "z": np.sin(dec)}
    clues = {"position": place}
    if hasattr(record, "mjd"):
        clues |= _schedule(record, survey)
    flux, bad_pixel, band = frames_of(record)
    if flux is not None:
        clues["background"] = corners_of(flux, bad_pixel, band)
        clues[RAW_SKY] = raw_sky_of(flux, bad_pixel)
        bad = clues["background"].pop("bad_corner_share")
        clues["conditions"] = {"bad_corner_share": bad}
        clues["conditions"] |= {"height": flux.shape[1], "width": flux.shape[2]}
        middle = np.flatnonzero(band == np.bincount(band).argmax())
        first = middle[len(middle) // 2]
        clues[ONE_EPOCH] = _looks(flux[first], bad_pixel[first])
    elif len(record.mjd):
        clues[ONE_EPOCH] = {"flux": record.flux[0], "flux_error": record.flux_error[0]}
    if hasattr(record, "psf_fwhm"):
        clues["conditions"] |= conditions_of(record)
    return clues


def name_ranks(names: list[str]) -> np.ndarray:
    """Returns [n] from 0 to 1: the place of each name, numbers in it by their size."""

    def parts(i: int) -> list[tuple]:
        pieces = re.split(r"(\d+)", names[i])
        return [(int(p), "") if p.isdecimal() else (-1, p) for p in pieces]

    place = np.empty(len(names))
    place[sorted(range(len(names)), key=parts)] = np.linspace(0, 1, len(names))
    return place


def sky_is_in_images(level: np.ndarray, noise: np.ndarray) -> bool:
    """Returns whether even the darkest tenth of the objects has bright corners.

    Without the sky, only those with a bright host or neighbour have.

    Args:
        level: [n] of the darkest corner, NaN where unknown.
        noise: [n] of a pixel, in the same unit.
    """
    ratio = level / np.where(noise > 0, noise, np.nan)
    ratio = ratio[np.isfinite(ratio)]
    return bool(len(ratio) and np.quantile(ratio, 0.1) > SKY_IN_IMAGE)


def _schedule(record: tuple, survey: Survey) -> dict[str, dict[str, float]]:
    found = schedule_of(record.mjd, record.band, survey)
    epochs = max(found["num_epochs"], 1)
    length = {name: found[name] for name in ("num_epochs", "num_nights", "span_days")}
    if hasattr(record, "history_kind"):
        kinds = np.bincount(record.history_kind, minlength=3)
        length |= {f"history_{kind}": count for kind, count in enumerate(kinds)}
    slots = [f"season_{slot:02d}" for slot in range(NUM_SEASON_BINS)]
    season = {name: found[name] for name in ("median_gap_days", "num_seasons", *slots)}
    season["first_mjd"] = record.mjd[0] if len(record.mjd) else np.nan
    bands = {band: found[f"epochs_{band}"] / epochs for band in survey.bands}
    return {"length": length, "season": season, "bands": bands}


def _looks(frame: np.ndarray, bad_pixel: np.ndarray) -> dict[str, float]:
    """Returns what a single frame shows: light in rings, its peak and its middle."""
    good = np.where(bad_pixel, np.nan, frame).astype(np.float64)
    border = good[border_mask(frame.shape, min(3, min(frame.shape) // 4))]
    sky = np.nanmedian(border) if np.isfinite(border).any() else np.nan
    distance = centre_distance(frame.shape)
    looks = {"sky": sky, "peak": _mean(np.nanmax, good - sky)}
    for inner, outer in itertools.pairwise(RING):
        ring = (distance >= inner) & (distance < outer)
        looks[f"ring_{inner:g}"] = _mean(np.nanmean, good[ring] - sky)
    core = good[distance < RING[-1]] - sky
    looks["scatter"] = _mean(np.nanstd, core)
    return looks


def _mean(how, value: np.ndarray) -> float:
    return float(how(value)) if np.isfinite(value).any() else np.nan
