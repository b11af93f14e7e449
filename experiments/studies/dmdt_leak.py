r"""Does a dm-dt map against stars of the same class measure the star or its label?

    python -m experiments.studies.dmdt_leak --manual_dir=FOLDER

Carraro's thesis represents each star by a map of its differences in amplitude and
period to the other stars of its own class, so the class must be known before the map
can be made.
A random forest is trained on such maps of ZTF's periodic variables and predicts stars
of a test fold, from
    own class                   the map as in the thesis
    own class, labels shuffled  the same, with the labels of the stars shuffled first;
                                the forest predicts the shuffled label, for which an
                                input without leakage gives chance
    all classes                 a map against all stars, which needs no label
    two numbers                 amplitude and period, without a map
The first two score alike: the map encodes which stars it was made with, and the
scores of the thesis (99.95, 94.64 and 88.74 %) measure that. So it is no representation
of jaxastro. It takes some minutes on one core; scores are in docs/deviations.md.
"""

import json

import numpy as np

from data_builders.ztf import ztf_periodic
from experiments.studies import command
from jaxastro.baselines.classifiers import fit_predict
from jaxastro.data.split import split_of
from jaxastro.evaluation.bootstrap import Interval, score_intervals
from jaxastro.representations.dmdt import DAYS, MAGNITUDES
from jaxastro.surveys import SURVEYS

SHAPE = len(MAGNITUDES) - 1, len(DAYS) - 1  # 11 x 24 cells, as published
CHUNK = 500  # stars whose maps are made together, to save memory


def maps_of(amplitude: np.ndarray, period: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Returns maps [o, 11 * 24] of each star's differences to the others of its group.

    A cell holds the share of those others whose absolute differences in amplitude and
    period lie within it; differences beyond the last edges are in no cell.

    Args:
        amplitude: [o] magnitudes.
        period: [o] days.
        group: [o] integers; stars with equal ones are compared.
    """
    found = np.zeros((len(group), SHAPE[0] * SHAPE[1]), np.float32)
    for number in np.unique(group):
        members = np.flatnonzero(group == number)
        for rows in np.split(members, range(CHUNK, len(members), CHUNK)):
            cells = [
                np.searchsorted(edges, abs(of[rows, None] - of[members]), "right") - 1
                for edges, of in ((MAGNITUDES, amplitude), (DAYS, period))
            ]
            inside = (cells[0] < SHAPE[0]) & (cells[1] < SHAPE[1])
            inside &= rows[:, None] != members  # not the star itself
            place = np.arange(len(rows))[:, None] * found.shape[1]
            place = place + cells[0] * SHAPE[1] + cells[1]
            counts = np.bincount(place[inside], minlength=len(rows) * found.shape[1])
            found[rows] = counts.reshape(len(rows), -1) / max(len(members) - 1, 1)
    return found


def measure(
    name: np.ndarray,
    label: np.ndarray,
    amplitude: np.ndarray,
    period: np.ndarray,
    *,
    seed: int,
) -> dict[str, Interval]:
    """Returns the accuracy from each input on the stars of one fold of five.

    Args:
        name: [o] of the stars.
        label: [o] classes, from 0 on.
        amplitude: [o] magnitudes.
        period: [o] days.
        seed: of the shuffled labels, the fold and the forest.
    """
    shuffled = np.random.default_rng(seed).permutation(label)
    inputs = {
        "own class": (maps_of(amplitude, period, label), label),
        "own class, labels shuffled": (maps_of(amplitude, period, shuffled), shuffled),
        "all classes": (maps_of(amplitude, period, np.zeros_like(label)), label),
        "two numbers": (np.stack([amplitude, period], axis=1), label),
    }
    rows = split_of(name, test_fold=0, num_folds=5, seed=seed)
    train, test, num_classes = rows["train"], rows["test"], label.max() + 1
    found = {}
    for input_name, (features, wanted) in inputs.items():
        probability = fit_predict(
            features[train],
            wanted[train],
            features[test],
            num_classes=num_classes,
            seed=seed,
        )
        scores = score_intervals(wanted[test], probability, name[test], num_classes)
        found[input_name] = scores["accuracy"]
    return found


def read_stars(manual_dir: str) -> tuple[np.ndarray, ...]:
    """Returns name, label, amplitude in r (magnitudes) and period (days).

    Stars that lack one of the two numbers are left out.
    """
    readings = ztf_periodic.read(ztf_periodic.find_catalogue(manual_dir))
    records = [r.record for r in readings if r.record is not None]
    names = [name for name, _ in SURVEYS["ztf_periodic"].columns]
    table = np.array([record.features for record in records])
    columns = table[:, [names.index("Amp_r"), names.index("Per")]]
    known = np.isfinite(columns).all(axis=1)
    name = np.array([record.object_id for record in records])
    label = np.array([record.label for record in records])
    _, number = np.unique(label[known], return_inverse=True)
    return name[known], number, *columns[known].T


def main(given) -> None:
    """Prints the table, or the same as JSON."""
    found = measure(*read_stars(given.manual_dir), seed=given.seed)
    if given.json:
        print(json.dumps({name: one._asdict() for name, one in found.items()}))
        return
    command.print_table(
        ["input", "accuracy (95 %)"],
        [[name, command.format_interval(score)] for name, score in found.items()],
    )


if __name__ == "__main__":
    parser = command.make_parser(__doc__)
    parser.add_argument("--manual_dir", default="", help="folder of the raw catalogue")
    parser.add_argument(
        "--seed", type=int, default=0, help="of shuffled labels, fold and forest"
    )
    command.run(main, parser)
