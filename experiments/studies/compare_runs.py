r"""Compares two groups of runs, such as seeds of two methods, on the same test objects.

Run:     python -m experiments.studies.compare_runs --ours=runs/a_0,runs/a_1 --theirs=runs/b_0

Prints macro F1 of each run, the mean of each group, and the difference of the means,
all with 95 % intervals from resampling the objects by group. Paired: every run is
scored on the same resamples. What seeds add to the spread is shown beside it.
"""

from pathlib import Path

import numpy as np
from absl import app, flags

from jaxastro.evaluation.bootstrap import interval
from jaxastro.evaluation.pool import check_same_objects, pool, scores_and_draws
from jaxastro.evaluation.predictions import load

FLAGS = flags.FLAGS
SCORE = "macro_f1"


def compare(ours: list[Path], theirs: list[Path]) -> list[tuple]:
    """Returns rows of what, its interval, and the spread over seeds."""
    pools = {run: pool([load(run / "predictions")]) for run in (*ours, *theirs)}
    check_same_objects([*pools.values()])
    rows, means = [], []
    for runs in (ours, theirs):
        found = [scores_and_draws(pools[run]) for run in runs]
        values = [float(value[SCORE]) for value, _ in found]
        draws = [draw[SCORE] for _, draw in found]
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
