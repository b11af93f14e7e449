"""Nuisance baseline: a random forest on how an object was observed, without the object.

The labels of a survey may leak through its schedule: "variable" may mean "observed in
more than one season", candidates may be followed up longer, or one class may come from
one camera. A model can learn this and score well without using the objects. Therefore
every report compares the model with a classifier on nuisance features only. A model
that is not clearly better has not been shown to use the images.

The level of a stamp's corners is not a nuisance: a bright host galaxy reaches the
corners, and its light is legitimate information. The image features are therefore
  - the sky offset: the changes of the corner level from epoch to epoch, after the
    median of the object in that band, with all constant light, is subtracted;
  - the corner noise: from differences of neighbouring corner pixels, in which smooth
    light cancels (the photon noise of a bright host remains, and is small);
  - noise, seeing, gain and zero point as the survey reports them.
A constant pedestal in only one class is not detected, because in a single stamp it
cannot be distinguished from a host. The central pixels are not used.

If the sky was not subtracted, the level of the darkest corner is that of the sky. It
depends on when and where an object was observed, and so is a nuisance. `raw_sky_of`
measures it; data_set_check.py determines whether a data set includes the sky.
"""

import numpy as np

from jaxastro.baselines.classifiers import class_probabilities, random_forest
from jaxastro.data.record import Record
from jaxastro.data.series import SeriesRecord
from jaxastro.errors import InputError
from jaxastro.surveys import Survey

NUM_SEASON_BINS = 12  # months of a year, or 2-hour slots of a night
CORNER = 5  # pixels, side of a corner; of 32 pixels the central 22 are not used
_SCATTER_OF_MAD = 1.4826  # standard deviation of a normal distribution / its MAD
_NUM_TREES = 300
_IMAGE_FEATURES = (
    "sky_offset_scatter",
    "corner_noise",
    "corner_noise_scatter",
    "noise",
    "noise_scatter",
    "seeing",
    "seeing_scatter",
    "gain",
    "zero_point",
    "bad_corner_share",
)


def nuisance_feature_names(survey: Survey) -> tuple[str, ...]:
    """Returns the names of the features, in the order of nuisance_features."""
    return (
        "num_epochs",
        *(f"epochs_{band}" for band in survey.bands),
        "num_nights",
        "span_days",
        "median_gap_days",
        "num_seasons",
        *(f"season_{slot:02d}" for slot in range(NUM_SEASON_BINS)),
        *(_IMAGE_FEATURES if survey.kind == "series" else ()),
    )


def nuisance_features(record: Record, survey: Survey) -> np.ndarray:
    """Returns features of how an object was observed, float32; NaN where unknown.

    They are: number of epochs in total and per band, number of nights, span and median
    gap in days, number of seasons, and the share of epochs in each twelfth of
    survey.season_days. Image series also have the sky offset and noise of the corners
    in the survey's unit, the noise that the survey reports, seeing in arcsec, gain,
    zero point and the share of bad corner pixels. Light curves do not, because their
    errors depend on the object's flux. The module docstring explains the choice.

    Args:
        record: of the survey's kind.
        survey: its bands and season are used.
    """
    values = schedule_of(record.mjd, record.band, survey)
    if survey.kind == "series":
        values |= corners_of(record.flux, record.bad_pixel, record.band)
        values |= conditions_of(record)
    return np.array([values[name] for name in nuisance_feature_names(survey)], "f4")


def schedule_of(mjd: np.ndarray, band: np.ndarray, survey: Survey) -> dict[str, float]:
    """Returns features of the times and bands in which an object was observed.

    Args:
        mjd: [t], days, ascending; may be empty.
        band: [t], indices into the survey's bands.
    """
    count = np.bincount(band, minlength=len(survey.bands))
    slot = np.floor(mjd / survey.season_days % 1 * NUM_SEASON_BINS).astype(int)
    in_slot = np.bincount(slot % NUM_SEASON_BINS, minlength=NUM_SEASON_BINS)
    return {
        "num_epochs": len(mjd),
        **{f"epochs_{survey.bands[i]}": count[i] for i in range(len(survey.bands))},
        "num_nights": _stretches(mjd, longest_gap=0.5),
        "span_days": np.ptp(mjd) if len(mjd) else 0,
        "median_gap_days": np.median(np.diff(mjd)) if len(mjd) > 1 else 0,
        "num_seasons": _stretches(mjd, longest_gap=survey.season_days / 4),
        **{
            f"season_{i:02d}": in_slot[i] / max(len(mjd), 1)
            for i in range(NUM_SEASON_BINS)
        },
    }


def corners_of(
    flux: np.ndarray, bad_pixel: np.ndarray, band: np.ndarray
) -> dict[str, float]:
    """Returns features of the sky and noise in the corners of an object's frames.

    Args:
        flux: [t y x], with bad_pixel [t y x].
        band: [t].
    """
    pixel = _corner_pixels(flux, bad_pixel)
    noise = np.array([_scatter(epoch) for epoch in np.diff(pixel)]) / np.sqrt(2)
    level = np.array([_median(epoch) for epoch in pixel])
    return {
        "sky_offset_scatter": _scatter(_without_steady_light(level, band)),
        "corner_noise": _median(noise),
        "corner_noise_scatter": _scatter(noise),
        "bad_corner_share": float(np.isnan(pixel).mean()) if pixel.size else np.nan,
    }


def raw_sky_of(flux: np.ndarray, bad_pixel: np.ndarray) -> dict[str, float]:
    """Returns features of sky and camera in frames that include the sky.

    The level is that of the darkest corner, which is least affected by the wings of
    stars. The noise is given as variance per count: starlight raises both alike, while
    another gain, or stacking or resampling of frames, changes the ratio.

    Args:
        flux: [t y x], with bad_pixel [t y x].
    """
    pixel = _corner_pixels(flux, bad_pixel)
    corners = [[_median(box) for box in epoch] for epoch in pixel]
    darkest = np.array([min(each) for each in corners if np.isfinite(each).all()])
    level = np.array([_median(epoch) for epoch in pixel])
    variance = np.array([_scatter(epoch) ** 2 / 2 for epoch in np.diff(pixel)])
    return {
        "sky_level": _median(darkest),
        "variance_by_level": _median(variance / np.where(level > 0, level, np.nan)),
    }


def conditions_of(record: SeriesRecord) -> dict[str, float]:
    """Returns noise, seeing, gain and zero point as the survey reports them."""
    return {
        "noise": _median(record.noise),
        "noise_scatter": _scatter(record.noise),
        "seeing": _median(record.psf_fwhm),
        "seeing_scatter": _scatter(record.psf_fwhm),
        "gain": _median(record.gain),
        "zero_point": _median(record.zero_point),
    }


def nuisance_baseline(
    train_features: np.ndarray,
    train_label: np.ndarray,
    test_features: np.ndarray,
    *,
    num_classes: int,
    seed: int,
    num_trees: int = _NUM_TREES,
) -> np.ndarray:
    """Returns [o c], the probabilities of a random forest on nuisance features.

    All classes have the same total weight in training. A class without a training
    object has probability 0.

    Args:
        train_features: [n f] from nuisance_features; NaN where unknown.
        train_label: [n], classes from 0 to num_classes - 1.
        test_features: [o f].
    Raises:
        InputError: if there is nothing to train on, or shapes disagree.
    """
    train_features = np.asarray(train_features, np.float32)
    test_features = np.asarray(test_features, np.float32)
    train_label = _checked_label(train_label, num_classes)
    shapes = (train_features.shape, test_features.shape)
    if len(train_features) != len(train_label) or shapes[0][1:] != shapes[1][1:]:
        raise InputError(
            f"Features of shape {shapes[0]} (train) and {shapes[1]} (test), and "
            f"{len(train_label)} labels. The nuisance baseline needs one row per "
            "label, and the same features in both."
        )
    forest = random_forest(num_trees=num_trees, min_samples_leaf=3, seed=seed)
    forest.fit(train_features, train_label)
    return class_probabilities(forest, test_features, num_classes)


def majority_baseline(
    train_label: np.ndarray, num_objects: int, num_classes: int
) -> np.ndarray:
    """Returns [o c], the class frequencies of the training set for every object.

    The predicted class is always the most frequent one. The log loss is the best that
    a prediction without any input can have.

    Args:
        train_label: [n], classes from 0 to num_classes - 1.
    """
    train_label = _checked_label(train_label, num_classes)
    frequency = np.bincount(train_label, minlength=num_classes) / len(train_label)
    return np.tile(frequency.astype(np.float32), (num_objects, 1))


def _stretches(mjd: np.ndarray, longest_gap: float) -> int:
    """Returns the number of stretches that gaps separate in the (sorted) times.

    Counting calendar years or dates instead would count a season or a night twice if
    the calendar changes within it.
    """
    return min(len(mjd), 1) + int((np.diff(mjd) > longest_gap).sum())


def _corner_pixels(flux: np.ndarray, bad_pixel: np.ndarray) -> np.ndarray:
    """Returns the four corners of each frame, [t 4 y x], NaN where bad."""
    side = min(CORNER, min(flux.shape[1:]) // 4)
    good = np.where(bad_pixel, np.nan, flux)
    rows = good[:, :side], good[:, flux.shape[1] - side :]
    right = flux.shape[2] - side
    return np.stack([c for r in rows for c in (r[..., :side], r[..., right:])], axis=1)


def _without_steady_light(level: np.ndarray, band: np.ndarray) -> np.ndarray:
    offset = level.copy()
    for one in np.unique(band):
        offset[band == one] -= _median(level[band == one])
    return offset


def _median(value: np.ndarray) -> float:
    value = value[np.isfinite(value)]
    return float(np.median(value)) if value.size else np.nan


def _scatter(value: np.ndarray) -> float:
    return _SCATTER_OF_MAD * _median(abs(value - _median(value)))


def _checked_label(label, num_classes: int) -> np.ndarray:
    label = np.asarray(label)
    if not len(label) or label.min() < 0 or label.max() >= num_classes:
        found = f"{label.min()} to {label.max()}" if len(label) else "none"
        raise InputError(
            f"Training labels: {found}. A baseline needs at least one, numbered 0 to "
            f"{num_classes - 1}. Train on labelled objects only."
        )
    return label
