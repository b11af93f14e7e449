"""Scores after a share of the epochs is removed from every test object."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.ticker import PercentFormatter

from jaxastro.data.csv_escaping import escape_cell
from jaxastro.evaluation.bootstrap import Interval, interval
from jaxastro.evaluation.pool import scores_and_draws
from jaxastro.evaluation.systems import SCORES, System, pool_all_folds, pools_by_run
from jaxastro.reports import style

SCORE_NAMES = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}


class Curve(NamedTuple):
    """Scores of one system by the share of the epochs that is removed."""

    object_id: np.ndarray  # o
    share: np.ndarray  # k  removed, from 0
    value: dict[str, np.ndarray]  # score -> k
    draws: dict[str, np.ndarray]  # score -> w k, for every resample

    def points(self, score: str) -> list[tuple[float, Interval]]:
        """Returns (share, score with interval) for every share."""
        found = map(interval, self.value[score], self.draws[score].T)
        return list(zip(self.share.tolist(), found, strict=True))


def write(curves: dict[str, Curve], folder: Path) -> list[Path]:
    """Draws scores by the share of missing epochs and writes missing_epochs.csv."""
    if not curves:
        return []
    path = Path(folder) / "missing_epochs.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "share", "score", "value", "low", "high"])
        for name, curve in curves.items():
            for score in SCORES:
                for share, found in curve.points(score):
                    writer.writerow([escape_cell(name), share, score, *found])

    num_lines = len(curves)
    figure = style.new_figure(style.WIDTH, 4.1 + 0.22 * num_lines)
    panels = figure.subplots(1, len(SCORES))
    for axes, score in zip(panels, SCORES, strict=True):
        for index, curve in enumerate(curves.values()):
            _draw(axes, curve, score, style.class_style(index))
        style.label_axes(axes, title=f"{SCORE_NAMES[score]}, %", x="missing epochs")
        axes.xaxis.set_major_formatter(PercentFormatter(1))
    handles = [panels[0].lines[i] for i in range(num_lines)]
    figure.legend(
        handles,
        [style.display_name(name, 90) for name in curves],
        loc="outside lower center",
        ncols=1 if max(map(len, curves)) > 50 else 2,
        frameon=False,
        fontsize=style.NORMAL,
    )
    listed = [
        f"{name}: "
        + ", ".join(
            f"{share:.0%} {100 * found.value:.1f}"
            for share, found in curve.points("accuracy")
        )
        for name, curve in curves.items()
    ]
    picture = style.save(
        figure,
        Path(folder) / "missing_epochs.png",
        title="Missing epochs",
        caption=(
            "Score after the given share of its epochs is removed from every test "
            "object. The systems are not retrained. Shaded bands are 95% intervals."
        ),
        alt=f"Accuracy in percent by share of epochs missing. {'; '.join(listed)}.",
    )
    return [picture, path]


def curves_of(systems: Sequence[System]) -> dict[str, Curve]:
    """Returns the curve of every system that was tested with missing epochs."""
    found = {system.name: _curve_of(system) for system in systems}
    return {name: curve for name, curve in found.items() if curve}


def _curve_of(system: System) -> Curve | None:
    """Uses the runs tested with missing epochs, at the shares that all of them have.

    So every point of the curve is measured on the same objects.
    """
    tested = [member for member in system.members if member.missing]
    shares = sorted({0}.union(*(member.missing for member in tested)))
    shares = [s for s in shares if not s or all(s in one.missing for one in tested)]
    if len(shares) < 2:
        return None
    system = system._replace(members=tuple(tested))
    pools = [pool_all_folds(pools_by_run(system, share=share)) for share in shares]
    values, draws = zip(*map(scores_and_draws, pools), strict=True)
    return Curve(
        pools[0].object_id,
        np.array(shares, float),
        {score: np.array([one[score] for one in values]) for score in SCORES},
        {score: np.stack([one[score] for one in draws], axis=1) for score in SCORES},
    )


def area_under(curve: Curve, score: str) -> Interval:
    """Returns the mean score over the shares: the area divided by their range."""
    return interval(*_areas(curve, score))


def area_above(curve: Curve, other: Curve, score: str) -> Interval | None:
    """Returns the mean difference of two curves, or None if they are not paired."""
    mine, others = (np.sort(one.object_id) for one in (curve, other))
    if not (np.array_equal(mine, others) and np.array_equal(curve.share, other.share)):
        return None
    (value, draws), (base, base_draws) = (_areas(one, score) for one in (curve, other))
    return interval(value - base, draws - base_draws)


def _areas(curve: Curve, score: str) -> tuple[float, np.ndarray]:
    span = curve.share[-1] - curve.share[0]
    value, draws = (
        np.trapezoid(heights, curve.share) / span
        for heights in (curve.value[score], curve.draws[score])
    )
    return float(value), draws


def _draw(axes, curve: Curve, score: str, line: dict) -> None:
    share, found = zip(*curve.points(score), strict=True)
    value, low, high = 100 * np.array(found).T
    axes.fill_between(share, low, high, color=line["color"], alpha=0.13, lw=0)
    axes.plot(share, value, lw=1.8, ms=6, **line)
