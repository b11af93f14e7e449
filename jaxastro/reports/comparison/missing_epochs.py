"""What is left of a score when observations are taken away."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.ticker import PercentFormatter

from jaxastro.data.csv_escaping import shown_cell
from jaxastro.evaluation.bootstrap import Interval, interval
from jaxastro.evaluation.pool import scores_and_draws
from jaxastro.evaluation.systems import SCORES, System, pool_all_folds, pools_by_run
from jaxastro.reports import style

WORDS = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}


class Curve(NamedTuple):
    """The scores of one system when shares of the epochs are taken away."""

    object_id: np.ndarray  # o
    share: np.ndarray  # k  taken away, from 0
    value: dict[str, np.ndarray]  # score -> k
    draws: dict[str, np.ndarray]  # score -> w k, of every resample

    def points(self, score: str) -> list[tuple[float, Interval]]:
        """Returns each share with the score there."""
        found = map(interval, self.value[score], self.draws[score].T)
        return list(zip(self.share.tolist(), found, strict=True))


def write(curves: dict[str, Curve], folder: Path) -> list[Path]:
    """Draws scores against the share of epochs taken away; missing.csv has them."""
    if not curves:
        return []
    path = Path(folder) / "missing.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "share", "score", "value", "low", "high"])
        for name, curve in curves.items():
            for score in SCORES:
                for share, found in curve.points(score):
                    writer.writerow([shown_cell(name), share, score, *found])

    num_lines = len(curves)
    figure = style.new_figure(style.WIDTH, 4.1 + 0.22 * num_lines)
    panels = figure.subplots(1, len(SCORES))
    for axes, score in zip(panels, SCORES, strict=True):
        for index, curve in enumerate(curves.values()):
            _draw(axes, curve, score, style.class_style(index))
        style.tidy(axes, title=f"{WORDS[score]}, %", x="epochs taken away")
        axes.xaxis.set_major_formatter(PercentFormatter(1))
    handles = [panels[0].lines[i] for i in range(num_lines)]
    figure.legend(
        handles,
        [style.plain(name, 90) for name in curves],
        loc="outside lower center",
        ncols=1 if max(map(len, curves)) > 50 else 2,
        frameon=False,
        fontsize=style.NORMAL,
    )
    told = [
        f"{name}: "
        + ", ".join(
            f"{share:.0%} {100 * found.value:.1f}"
            for share, found in curve.points("accuracy")
        )
        for name, curve in curves.items()
    ]
    picture = style.save(
        figure,
        Path(folder) / "missing.png",
        title="When observations are missing",
        caption=(
            "Of every object of the test folds that share of its epochs is taken away "
            "before the trained system is asked; nothing is trained again. Bands are "
            "95% intervals. Systems that lose less lie flatter."
        ),
        alt=f"Accuracy in percent by share of epochs missing. {'; '.join(told)}.",
    )
    return [picture, path]


def curves_of(systems: Sequence[System]) -> dict[str, Curve]:
    """Returns the curve of every system that was asked with fewer epochs."""
    found = {system.name: _curve_of(system) for system in systems}
    return {name: curve for name, curve in found.items() if curve}


def _curve_of(system: System) -> Curve | None:
    """Only runs that were asked, at the shares that all of these were asked.

    So every point is of the same objects.
    """
    asked = [member for member in system.members if member.missing]
    shares = sorted({0}.union(*(member.missing for member in asked)))
    shares = [s for s in shares if not s or all(s in one.missing for one in asked)]
    if len(shares) < 2:
        return None
    system = system._replace(members=tuple(asked))
    pools = [pool_all_folds(pools_by_run(system, share=share)) for share in shares]
    values, draws = zip(*map(scores_and_draws, pools), strict=True)
    return Curve(
        pools[0].object_id,
        np.array(shares, float),
        {score: np.array([one[score] for one in values]) for score in SCORES},
        {score: np.stack([one[score] for one in draws], axis=1) for score in SCORES},
    )


def area_under(curve: Curve, score: str) -> Interval:
    """Returns the mean height of a curve over its shares: the area by their range."""
    return interval(*_areas(curve, score))


def area_above(curve: Curve, other: Curve, score: str) -> Interval | None:
    """Returns how far a curve is above another in the mean, or None if not paired."""
    ours, theirs = (np.sort(one.object_id) for one in (curve, other))
    if not (np.array_equal(ours, theirs) and np.array_equal(curve.share, other.share)):
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


def _draw(axes, curve: Curve, score: str, look: dict) -> None:
    share, found = zip(*curve.points(score), strict=True)
    value, low, high = 100 * np.array(found).T
    axes.fill_between(share, low, high, color=look["color"], alpha=0.13, lw=0)
    axes.plot(share, value, lw=1.8, ms=6, **look)
