r"""Does one group of runs, such as seeds of a method, score above another group?

    python -m experiments.studies.compare_runs --runs=runs/a_0,runs/a_1 \
        --reference=runs/b_0

All runs must have the same test objects; networks, forests and boosting can be mixed.
Printed are macro F1 of each run, the mean of each group with its standard deviation
over the runs, and the difference of the two means; of several runs also their ensemble,
which averages their probabilities as jaxastro.load(RUN, RUN) does, and how far it is
above the mean of the reference. The 95 % intervals resample the objects by group; every
run is scored on the same resamples, so differences are paired.
"""

import json
from pathlib import Path

import numpy as np

from experiments.studies import command
from jaxastro.evaluation.bootstrap import interval
from jaxastro.evaluation.pool import (
    Pool,
    check_same_objects,
    ensemble,
    pool,
    scores_and_draws,
)
from jaxastro.evaluation.predictions import load

SCORE = "macro_f1"


def compare(runs: list[Path], reference: list[Path]) -> list[dict]:
    """Returns a row for each run, for each mean, and for their difference."""
    pools = {
        run: _by_name(pool([load(run / "predictions")])) for run in (*runs, *reference)
    }
    check_same_objects([*pools.values()])
    rows, means = [], []
    for group in (runs, reference):
        found = [scores_and_draws(pools[run]) for run in group]
        values = [float(value[SCORE]) for value, _ in found]
        draws = [draw[SCORE] for _, draw in found]
        for run, value, draw in zip(group, values, draws, strict=True):
            rows.append({"name": run.name, SCORE: interval(value, draw)})
        mean, mean_draws = np.mean(values), np.mean(draws, axis=0)
        deviation = float(np.std(values, ddof=len(values) > 1))
        means.append((mean, mean_draws))
        rows.append(
            {
                "name": f"mean of {len(group)}",
                SCORE: interval(mean, mean_draws),
                "deviation": deviation,
            }
        )
    (first, first_draws), (second, second_draws) = means
    difference = interval(first - second, first_draws - second_draws)
    rows.append({"name": "difference", SCORE: difference})
    if len(runs) > 1:
        value, draws = scores_and_draws(ensemble([pools[run] for run in runs]))
        above = interval(value[SCORE] - second, draws[SCORE] - second_draws)
        rows.append({"name": "ensemble", SCORE: interval(value[SCORE], draws[SCORE])})
        rows.append({"name": "ensemble above the reference", SCORE: above})
    return rows


def _by_name(pooled: Pool) -> Pool:
    """Returns the objects sorted by name, as data sets differ in their order."""
    order = np.argsort(pooled.object_id)
    columns = {
        name: getattr(pooled, name)[order] for name in Pool._fields if name != "classes"
    }
    return pooled._replace(**columns)


def main(given) -> None:
    """Prints the table, or the same as JSON."""
    rows = compare(given.runs, given.reference)
    if given.json:
        print(json.dumps(rows, indent=1))
        return
    command.print_table(
        ["run", "macro F1", "standard deviation over runs"],
        [
            [
                row["name"],
                command.format_interval(row[SCORE]),
                f"{row['deviation']:.3f}" if "deviation" in row else "",
            ]
            for row in rows
        ],
    )


if __name__ == "__main__":
    parser = command.make_parser(__doc__)
    paths = command.list_of(Path)
    parser.add_argument(
        "--runs", type=paths, required=True, help="folders, separated by commas"
    )
    parser.add_argument(
        "--reference", type=paths, required=True, help="folders to compare with"
    )
    command.run(main, parser)
