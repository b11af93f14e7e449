"""ROC and precision-recall of two systems, one class against the rest, overlaid."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxastro.evaluation.bootstrap import Interval, group_weights, interval
from jaxastro.evaluation.pool import Pool
from jaxastro.evaluation.systems import System, pool_all_folds, pools_by_run
from jaxastro.reports import style

NUM_DRAWS = 300  # a band needs fewer than an interval that is quoted
GRID = np.linspace(0, 1, 401)
_MOST_CLASSES = 4


class Curve(NamedTuple):
    """One curve over GRID, with the band that 95% of the resamples keep to."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    area: Interval  # under ROC; average precision


def write(systems: Sequence[System], folder: Path, classes: Sequence[str]):
    """Draws both curves of some classes, at most four, for each of two systems."""
    pools = {system.name: pool_all_folds(pools_by_run(system)) for system in systems}
    known = systems[0].members[0].predictions.classes
    shown = [
        name
        for name in classes
        if all(0 < np.mean(p.label == known.index(name)) < 1 for p in pools.values())
    ][:_MOST_CLASSES]
    if not shown:
        return []
    size = 2.75 if len(shown) > 2 else 3.4
    width = max(style.WIDTH * 0.55, min(style.WIDTH, 1.5 + size * len(shown)))
    figure = style.new_figure(width, 6.9)
    panels = figure.subplots(2, len(shown), squeeze=False, sharex=True, sharey=True)
    told = []
    for column, name in enumerate(shown):
        for row, (system, found) in enumerate(pools.items()):
            roc, precision = curves_of(found, known.index(name))
            look = style.pair_style(row)
            _draw(panels[0, column], roc, look)
            _draw(panels[1, column], precision, look)
            _write_area(panels[0, column], "AUC", roc.area, row, look["color"])
            _write_area(panels[1, column], "AP", precision.area, row, look["color"])
            # Nothing accepted yet: where every ROC curve begins.
            panels[0, column].plot([0, 0], [0, roc.value[0]], lw=1.9, **look)
            told.append(
                f"{name}, {system}: {roc.area.value:.3f} and {precision.area.value:.3f}"
            )
        base_rate = np.mean(found.label == known.index(name))
        _dress(panels[:, column], style.plain(name), base_rate, is_first=column == 0)
    figure.legend(
        panels[1, 0].lines[: len(pools)],
        [style.plain(name, 60) for name in pools],
        loc="outside upper center",
        ncols=1 if sum(map(len, pools)) > 70 else 2,
        frameon=False,
        fontsize=style.NORMAL,
    )
    return [
        style.save(
            figure,
            Path(folder) / "curves.png",
            title="One class against the rest",
            caption=(
                "Sort all objects by the probability of one class and accept more and "
                "more of them. Above: the share of the class found against the share "
                "of the others let in; AUC is the area below. Below: of those "
                "accepted, how many are of the class (precision) against the share of "
                "it found (recall); AP is the mean of that. Dotted lines are guessing. "
                "Bands and brackets are 95% of the resamples of the objects by group. "
                "All folds pooled, seeds averaged."
            ),
            alt=f"Area under ROC and average precision. {'; '.join(told)}.",
        )
    ]


def curves_of(pooled: Pool, index: int) -> tuple[Curve, Curve]:
    """Returns ROC and precision-recall of one class against the rest."""
    is_class, probability = pooled.label == index, pooled.probability[:, index]
    _, row_group = np.unique(pooled.group, return_inverse=True)
    ones = np.ones((1, len(is_class)))
    values = rates(is_class, probability, ones)
    draws = [[], []]
    for weights in group_weights(row_group.max() + 1, num_draws=NUM_DRAWS, seed=0):
        weights = weights[:, row_group].astype(np.float64)
        # A resample without the class, or with nothing else, has no curve.
        kept = (weights @ is_class > 0) & (weights @ ~is_class > 0)
        for mine, found in zip(
            draws, rates(is_class, probability, weights[kept]), strict=True
        ):
            mine.append(found)
    curves = []
    for (value, area), pieces in zip(values, draws, strict=True):
        drawn, areas = (np.concatenate(part) for part in zip(*pieces, strict=True))
        if not len(areas):  # one group only: nothing to vary
            drawn, areas = value, area
        low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
        curves.append(Curve(value[0], low, high, interval(area[0], areas)))
    return tuple(curves)


def rates(is_class: np.ndarray, probability: np.ndarray, weight: np.ndarray):
    """Returns both curves over GRID, and the areas below, of weighted objects.

    Args:
        is_class: [o].
        probability: [o] of the class.
        weight: [w o] how often each draw holds each object.
    Returns:  (true positive rate [w g], area [w]), (precision [w g], mean [w]), as
        scikit-learn's roc_auc_score and average_precision_score count them.
    """
    order = np.argsort(-probability, kind="stable")
    # Objects of one probability are accepted together.
    last = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))
    right = np.cumsum(weight[:, order] * is_class[order], axis=1)[:, last]
    wrong = np.cumsum(weight[:, order] * ~is_class[order], axis=1)[:, last]
    both = right + wrong
    precision = np.divide(right, both, out=np.ones_like(both), where=both > 0)
    true_rate = np.pad(right / right[:, -1:], [(0, 0), (1, 0)])
    false_rate = np.pad(wrong / wrong[:, -1:], [(0, 0), (1, 0)])
    area = np.trapezoid(true_rate, false_rate, axis=1)
    mean = (np.diff(true_rate, axis=1) * precision).sum(axis=1)

    roc = np.empty((len(weight), len(GRID)))
    found = np.empty_like(roc)
    for draw in range(len(weight)):
        roc[draw] = np.interp(GRID, false_rate[draw], true_rate[draw])
        # The first threshold at which that share is found; steps, not slopes.
        step = np.searchsorted(true_rate[draw, 1:], GRID - 1e-12)
        found[draw] = precision[draw, np.minimum(step, precision.shape[1] - 1)]
    return (roc, area), (found, mean)


def _draw(axes, curve: Curve, look: dict) -> None:
    color = look["color"]
    axes.fill_between(GRID, curve.low, curve.high, color=color, alpha=0.15, lw=0)
    axes.plot(GRID, curve.value, lw=1.9, **look)


def _write_area(axes, name: str, area: Interval, row: int, color: str) -> None:
    """Above the panel, for inside it there is no place that no curve may cross."""
    axes.annotate(
        f"{name} {area.value:.3f} [{area.low:.3f}, {area.high:.3f}]",
        (0, 1),
        xytext=(0, 11.5 - 9.5 * row),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=style.SMALL,
        color=color,
    )


def _dress(panels, name: str, base_rate: float, *, is_first: bool) -> None:
    above, below = panels
    above.plot([0, 1], [0, 1], color=style.MUTED, lw=1, ls=":")
    below.axhline(base_rate, color=style.MUTED, lw=1, ls=":")
    style.tidy(
        above,
        title=f"{name}\n",  # the areas stand in the empty line
        x="false positive rate",
        y="true positive rate" * is_first,
    )
    style.tidy(below, x="recall", y="precision" * is_first)
    above.tick_params(labelbottom=True)
    for axes in panels:
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03))
