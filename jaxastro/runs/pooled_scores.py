"""Scores over all test folds of an experiment, for each seed and for their ensemble."""

from pathlib import Path

from jaxastro.evaluation.bootstrap import score_intervals
from jaxastro.evaluation.pool import Pool, ensemble, mean_intervals, pool
from jaxastro.evaluation.predictions import load

SHOWN = ("accuracy", "macro_f1")


def pooled_rows(table: dict[int, list[Path]]) -> list[dict]:
    """Returns a row for each seed, for their mean, and for them as an ensemble.

    Args:
        table: seed -> the folders of its runs, one for each fold.
    """
    pools = [
        pool([load(run / "predictions") for run in runs]) for runs in table.values()
    ]
    scored = {
        f"seed {seed}": _scores_of(p) for seed, p in zip(table, pools, strict=True)
    }
    if len(pools) > 1:
        scored["mean of the seeds"] = mean_intervals(pools)
        scored["ensemble of the seeds"] = _scores_of(ensemble(pools))
    objects = len(pools[0].label)
    return [
        {"model": name, "objects": objects}
        | {score: found[score]._asdict() for score in SHOWN}
        for name, found in scored.items()
    ]


def as_markdown(rows: list[dict]) -> str:
    """Returns the table as Markdown."""
    lines = ["| model | objects | accuracy | macro F1 |", "|---|---|---|---|"]
    for row in rows:
        cells = ["{value:.3f} [{low:.3f}, {high:.3f}]".format(**row[s]) for s in SHOWN]
        lines.append(f"| {row['model']} | {row['objects']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _scores_of(pooled: Pool) -> dict:
    return score_intervals(
        pooled.label, pooled.probability, pooled.group, len(pooled.classes)
    )
