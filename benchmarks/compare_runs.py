r"""Compares two groups of runs, such as seeds of two methods, on the same test objects.

Run:     python -m benchmarks.compare_runs --ours=runs/a_0,runs/a_1 --theirs=runs/b_0

Prints macro F1 of each run, the mean of each group, and the difference of the means,
all with 95 % intervals from resampling the objects by group. Paired: every run is
scored on the same resamples. What seeds add to the spread is shown beside it.
"""

from pathlib import Path

import numpy as np
from absl import app, flags

from jaxastro.evaluation.bootstrap import confusion_draws, interval, scores_of
from jaxastro.evaluation.metrics import confusion, predicted_class
from jaxastro.evaluation.predictions import Predictions, load

FLAGS = flags.FLAGS
SCORE = "macro_f1"


def draws_of(predictions: Predictions) -> tuple[float, np.ndarray]:
    """Returns the score of a run, and that of each resample of its objects."""
    p, count = predictions, len(predictions.classes)
    predicted = predicted_class(p.probability)
    draws = scores_of(confusion_draws(p.label, predicted, p.group, count))[SCORE]
    return float(scores_of(confusion(p.label, predicted, count))[SCORE]), draws


def compare(ours: list[Path], theirs: list[Path]) -> list[tuple]:
    """Returns rows of what, its interval, and the spread over seeds."""
    loaded = {run: load(run / "predictions") for run in (*ours, *theirs)}
    objects = [tuple(p.object_id) for p in loaded.values()]
    if len(set(objects)) != 1:
        raise ValueError(
            "These runs were not tested on the same objects. Compare runs of one "
            "survey, one set of classes and one test fold."
        )
    rows, means = [], []
    for runs in (ours, theirs):
        values, draws = zip(*(draws_of(loaded[run]) for run in runs), strict=True)
        for run, value, draw in zip(runs, values, draws, strict=True):
            rows.append((run.name, interval(value, draw), ""))
        mean, spread = np.mean(values), np.std(values, ddof=len(values) > 1)
        means.append((mean, np.mean(draws, axis=0)))
        rows.append((f"mean of {len(runs)}", interval(*means[-1]), f"{spread:.3f}"))
    (mine, my_draws), (other, other_draws) = means
    rows.append(("difference", interval(mine - other, my_draws - other_draws), ""))
    return rows


def main(argv: list[str]) -> None:
    """Prints the table."""
    del argv
    rows = compare(
        *([Path(run) for run in group] for group in (FLAGS.ours, FLAGS.theirs))
    )
    print("| run | macro F1 | spread over seeds |\n|---|---|---|")
    for what, found, spread in rows:
        print(
            f"| {what} | {found.value:.3f} [{found.low:.3f}, {found.high:.3f}] "
            f"| {spread} |"
        )


if __name__ == "__main__":
    flags.DEFINE_list("ours", None, "Folders of runs, separated by commas.")
    flags.DEFINE_list("theirs", None, "Folders of the runs to compare with.")
    flags.mark_flags_as_required(["ours", "theirs"])
    app.run(main)
