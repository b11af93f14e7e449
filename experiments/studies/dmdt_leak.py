r"""A picture made with the label: what the dm-dt map of a thesis is worth.

Run:     python -m experiments.studies.dmdt_leak --manual_dir=FOLDER
Expect:  see docs/deviations.md; some minutes on one core.

Carraro's thesis draws a star as a map of its differences in amplitude and period to
the other stars of its own class. To draw it the class must be known. Here a forest
learns from such maps of ZTF's periodic variables, and names stars that it has not seen:
    own class                 as in the thesis
    own class, labels dealt   the labels are dealt to the stars at random first, and the
                              forest is asked for what was dealt: nothing that a star
                              has can tell it, so an honest input gives chance
    all classes               what can be drawn of a star whose class is unknown
    two numbers               amplitude and period themselves, no map
The map tells which stars it was drawn against. That is all that the thesis' scores
(99.95, 94.64 and 88.74 %) say; so no representation here draws it.
"""

import json

import numpy as np
from absl import app, flags

from data_builders.ztf import ztf_periodic
from jaxastro.baselines.classifiers import fit_predict
from jaxastro.data.split import split_of
from jaxastro.evaluation.bootstrap import Interval, score_intervals
from jaxastro.representations.dmdt import DAYS, MAGNITUDES
from jaxastro.surveys import SURVEYS

SHAPE = len(MAGNITUDES) - 1, len(DAYS) - 1  # 11 x 24 cells, as published
AT_ONCE = 500  # stars whose maps are drawn together, to save memory

FLAGS = flags.FLAGS


def maps_of(amplitude: np.ndarray, period: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Returns [o, 11 * 24] maps of each star's differences to those of its own number.

    A cell holds the share of those others whose amplitude and period differ from the
    star's by so much; differences beyond the edges are in no cell.

    Args:
        amplitude: [o] magnitudes.
        period: [o] days.
        among: [o] numbers; equal ones are drawn against each other.
    """
    found = np.zeros((len(among), SHAPE[0] * SHAPE[1]), np.float32)
    for number in np.unique(among):
        members = np.flatnonzero(among == number)
        for rows in np.split(members, range(AT_ONCE, len(members), AT_ONCE)):
            cells = [
                np.searchsorted(edges, abs(of[rows, None] - of[members]), "right") - 1
                for edges, of in ((MAGNITUDES, amplitude), (DAYS, period))
            ]
            inside = (cells[0] < SHAPE[0]) & (cells[1] < SHAPE[1])
            inside &= rows[:, None] != members  # no star is another to itself
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
    """Returns the accuracy of each input on the stars of one fold of five.

    Args:
        name: [o] of the stars; label: [o] classes from 0 on.
    """
    dealt = np.random.default_rng(seed).permutation(label)
    inputs = {
        "own class": (maps_of(amplitude, period, label), label),
        "own class, labels dealt": (maps_of(amplitude, period, dealt), dealt),
        "all classes": (maps_of(amplitude, period, np.zeros_like(label)), label),
        "two numbers": (np.stack([amplitude, period], axis=1), label),
    }
    rows = split_of(name, test_fold=0, num_folds=5, seed=seed)
    known, test, count = rows["train"], rows["test"], label.max() + 1
    found = {}
    for words, (features, wanted) in inputs.items():
        probability = fit_predict(
            *(features[known], wanted[known], features[test]),
            num_classes=count,
            seed=seed,
        )
        scores = score_intervals(wanted[test], probability, name[test], count)
        found[words] = scores["accuracy"]
    return found


def stars(manual_dir: str) -> tuple[np.ndarray, ...]:
    """Returns name, label, Amp_r and Per of all stars that have both numbers."""
    readings = ztf_periodic.read(ztf_periodic.find_catalogue(manual_dir or None))
    records = [r.record for r in readings if r.record is not None]
    names = [name for name, _ in SURVEYS["ztf_periodic"].columns]
    table = np.array([record.features for record in records])
    columns = table[:, [names.index("Amp_r"), names.index("Per")]]
    whole = np.isfinite(columns).all(axis=1)
    name = np.array([record.object_id for record in records])
    label = np.array([record.label for record in records])
    _, number = np.unique(label[whole], return_inverse=True)
    return name[whole], number, *columns[whole].T


def main(argv: list[str]) -> None:
    """Prints the table, or the same as JSON."""
    del argv
    found = measure(*stars(FLAGS.manual_dir), seed=FLAGS.seed)
    if FLAGS.json:
        print(json.dumps({name: one._asdict() for name, one in found.items()}))
        return
    print("| maps drawn against | accuracy (95 %) |")
    print("|---|---|")
    for name, (value, low, high) in found.items():
        print(f"| {name} | {value:.3f} [{low:.3f}, {high:.3f}] |")


if __name__ == "__main__":
    flags.DEFINE_string("manual_dir", "", "Folder of the raw catalogue.")
    flags.DEFINE_bool("json", False, "Print JSON instead of a table.")
    flags.DEFINE_integer("seed", 0, "Of labels that are dealt, the fold, the forest.")
    app.run(main)
