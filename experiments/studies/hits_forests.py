"""Random forests on HiTS, fold by fold: the baselines of the studies on HiTS."""

from collections.abc import Callable, Sequence

import numpy as np

from data_builders.hits import hits
from jaxastro.baselines.aperture_features import (
    aperture_feature_names,
    aperture_features,
    noise_features,
)
from jaxastro.baselines.classifiers import fit_predict
from jaxastro.data.series import SeriesRecord
from jaxastro.data.split import split_of
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["hits"]
# NonVariable is in no task: its six fields were observed differently, which identifies
# the class without looking at the object.
TASKS = {
    "SN, EB, RRLyrae": ("SN", "EB", "RRLyrae"),
    "EB, RRLyrae": ("EB", "RRLyrae"),
}
NUM_FOLDS = 5
SPLIT_SEED = 5  # of the seeds 0 to 39 the one whose smallest class in a fold is largest
NUM_DRAWS = 1000  # of the bootstrap
CORNERS = "noise of the corners (control)"


def read_records(manual_dir: str) -> list[SeriesRecord]:
    """Returns the objects of the raw file of HiTS that can be read."""
    readings = hits.read(hits.find_hits(manual_dir))
    return [reading.record for reading in readings if reading.record is not None]


def shape_features(record: SeriesRecord) -> np.ndarray:
    """Returns the light-curve features that do not depend on absolute brightness."""
    absolute = {"g_brightness", "g_noise", "g_absolute_amplitude"}
    relative = [n not in absolute for n in aperture_feature_names(SURVEY)]
    return aperture_features(record, SURVEY)[relative]


def static_features(record: SeriesRecord) -> np.ndarray:
    """Returns the pixels of the median image, which hold nothing of the variation."""
    good = np.where(record.bad_pixel, np.nan, record.flux)
    return np.nanmedian(good, axis=0).ravel()


def schedule_features(record: SeriesRecord) -> np.ndarray:
    """Returns number of epochs, and median and scatter of the sky level."""
    return noise_features(record)[[0, -2, -1]]


INPUTS: dict[str, Callable[[SeriesRecord], np.ndarray]] = {
    "light curve": lambda record: aperture_features(record, SURVEY),
    "light curve, shape only": shape_features,
    "static median image": static_features,
    CORNERS: noise_features,
    "epochs and sky (control)": schedule_features,
}


def features_of(records: Sequence[SeriesRecord], name: str) -> np.ndarray:
    """Returns the table [o f] of one of INPUTS."""
    return np.array([INPUTS[name](record) for record in records])


def predict_folds(
    features: np.ndarray,
    label: np.ndarray,
    group: np.ndarray,
    num_classes: int,
    *,
    seed: int,
    split_seed: int = SPLIT_SEED,
    splits: Sequence[str] = ("train",),
    select: Callable[[np.ndarray], np.ndarray] = lambda rows: rows,
) -> np.ndarray:
    """Returns probabilities [o c], each from a forest trained without that fold.

    Args:
        splits: those that the forest is trained on, such as ("train", "validation").
        select: from the rows of these splits to those that are used.
    """
    probability = np.zeros((len(label), num_classes))
    for fold in range(NUM_FOLDS):
        split = split_of(group, test_fold=fold, num_folds=NUM_FOLDS, seed=split_seed)
        train = select(np.concatenate([split[name] for name in splits]))
        probability[split["test"]] = fit_predict(
            features[train],
            label[train],
            features[split["test"]],
            num_classes=num_classes,
            seed=seed,
        )
    return probability
