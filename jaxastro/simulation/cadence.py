"""Times and bands of the visits of a field, independent of the objects in it.

If epochs depended on the class, a network could classify by the number of frames.
"""

from typing import NamedTuple

import numpy as np

SEASON_START = (53614.0, 53979.0, 54344.0)  # MJD of 1 September 2005, 2006, 2007
SEASON_DAYS = 91  # September to November
RIGHT_ASCENSION = (-50.0, 59.0)  # degrees, the ends of Stripe 82
DECLINATION = (-1.25, 1.25)  # degrees
NUM_PATCHES = 60  # in right ascension
NUM_FIELDS = 2 * NUM_PATCHES  # times the two strips, south and north

SCAN_ORDER = (2, 3, 0, 4, 1)  # r i u z g: the rows of the camera, as the sky drifts
SCAN_STEP = 71.7 / 86400  # days between two rows
DENSE_VISITS = 13.4  # in the field's dense season, on average
SPARSE_VISITS = 4.4  # in each of the two others
DOUBLE_FRACTION = 0.1  # of fields lie where strips overlap: twice the visits
BAND_LOSS = 0.04  # fraction of frames that are lost for a whole field
CLEAR_NIGHT = 0.55  # fraction of nights with a usable sky
WEATHER_NIGHTS = 3.0  # correlation length of the weather, nights
LUNAR_MONTH = 29.530588  # days
FULL_MOON = 53631.08  # MJD of the full Moon of 18 September 2005

SIDEREAL_SHIFT = 3.943 / 1440  # days by which the sky rises earlier each night
MIDNIGHT = 0.292  # day fraction (UT) of local midnight at Apache Point
NIGHT = (0.08, 0.50)  # day fractions (UT) between which observing is possible


class Visits(NamedTuple):
    """The frames of one field, in time order."""

    mjd: np.ndarray  # t    float64, days
    band: np.ndarray  # t   int32, index into u g r i z
    visit: np.ndarray  # t  int32, which passage of the camera
    priority: np.ndarray  # t  int32, rank of the visit; smaller surveys keep low ranks


def field_of(right_ascension: float, declination: float) -> int:
    """Returns the field, from 0 to NUM_FIELDS - 1, of a position on the sky.

    Args:
        right_ascension: degrees, from -50 to 59.
        declination: degrees.
    """
    west, east = RIGHT_ASCENSION
    patch = int((right_ascension - west) / (east - west) * NUM_PATCHES)
    return 2 * min(patch, NUM_PATCHES - 1) + int(declination >= 0)


def moon_illumination(mjd):
    """Returns the lit fraction of the Moon, 0 at new to 1 at full."""
    return 0.5 + 0.5 * np.cos(2 * np.pi * (mjd - FULL_MOON) / LUNAR_MONTH)


def clear_nights(seed: int) -> np.ndarray:
    """Returns [season night] bool, whether the survey could observe.

    The weather is a Gaussian sequence with a correlation length of WEATHER_NIGHTS, with
    a threshold for the fraction of clear nights.
    """
    rng = np.random.default_rng([seed, 1])
    keep = np.exp(-1 / WEATHER_NIGHTS)
    sky = np.empty((len(SEASON_START), SEASON_DAYS))
    for season in sky:
        state = rng.normal()
        for night in range(SEASON_DAYS):
            season[night] = state
            state = keep * state + np.sqrt(1 - keep**2) * rng.normal()
    clear = sky < np.quantile(sky, CLEAR_NIGHT)
    # Most nights around full Moon are lost.
    night = np.array(SEASON_START)[:, None] + np.arange(SEASON_DAYS)
    return clear & (rng.random(sky.shape) > 0.8 * moon_illumination(night) ** 2)


def draw_visits(field: int, seed: int) -> Visits:
    """Returns the visits of a field, a function of the field and the seed only.

    One random season is dense; the other two are sparse and serve as reference. A visit
    has frames in five bands, 72 seconds apart, except for lost ones.
    """
    rng = np.random.default_rng([seed, 2, field])
    clear = clear_nights(seed)
    dense = rng.integers(len(SEASON_START))
    passes = 2 if rng.random() < DOUBLE_FRACTION else 1
    times = []
    for _ in range(passes):
        for season, start in enumerate(SEASON_START):
            mean = DENSE_VISITS if season == dense else SPARSE_VISITS
            nights = np.flatnonzero(clear[season])
            number = min(len(nights), max(1, round(rng.normal(mean, 0.12 * mean))))
            # One night from each of equal runs of clear nights, for a regular cadence.
            runs = np.array_split(nights, number)
            times.append(start + np.array([rng.choice(run) for run in runs]))
    night = np.sort(np.concatenate(times))
    # A jitter of some minutes.
    time = np.sort(night + _transit(night, field) + rng.normal(0, 0.005, len(night)))
    # With the golden ratio any number of lowest ranks is spread evenly over the visits.
    spread = (rng.random() + 0.6180339887498949 * np.arange(len(time))) % 1.0
    priority = np.argsort(np.argsort(spread))

    order = np.array(SCAN_ORDER)
    mjd = time[:, None] + SCAN_STEP * np.arange(len(order))
    seen = rng.random(mjd.shape) >= BAND_LOSS
    visit, row = np.nonzero(seen)
    visits = Visits(
        mjd=mjd[seen],
        band=order[row].astype(np.int32),
        visit=visit.astype(np.int32),
        priority=priority[visit].astype(np.int32),
    )
    in_time = np.argsort(visits.mjd, kind="stable")  # visits of two strips may mix
    return Visits(*(column[in_time] for column in visits))


def _transit(night: np.ndarray, field: int) -> np.ndarray:
    """Returns the day fraction of the field's transit, clipped to the night.

    On 22 September, night 21, right ascension 0 transits at midnight.
    """
    west, east = RIGHT_ASCENSION
    centre = west + (field // 2 + 0.5) * (east - west) / NUM_PATCHES
    season = np.searchsorted(SEASON_START, night, side="right") - 1
    since = night - np.array(SEASON_START)[season] - 21
    return np.clip(MIDNIGHT + centre / 360 - since * SIDEREAL_SHIFT, *NIGHT)
