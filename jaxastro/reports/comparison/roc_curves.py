"""ROC and precision-recall curves of two systems, one class against the rest."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxastro.evaluation.bootstrap import Interval, group_weights, interval
from jaxastro.evaluation.pool import Pool
from jaxastro.evaluation.systems import System, pool_all_folds, pools_by_run
from jaxastro.reports import style

NUM_DRAWS = 300  # fewer than for quoted intervals; enough for a shaded band
GRID = np.linspace(0, 1, 401)
_MOST_CLASSES = 4


class Curve(NamedTuple):
    """One curve over GRID, with its 95% bootstrap band."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    area: Interval  # area under the ROC curve, or average precision


def write(systems: Sequence[System], folder: Path, classes: Sequence[str]):
    """Draws both curves of at most four classes for each of two systems."""
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
    areas = []
    for column, name in enumerate(shown):
        for row, (system, found) in enumerate(pools.items()):
            roc, precision = curves_of(found, known.index(name))
            line = style.pair_style(row)
            _draw(panels[0, column], roc, line)
            _draw(panels[1, column], precision, line)
            _write_area(panels[0, column], "AUC", roc.area, row, line["color"])
            _write_area(panels[1, column], "AP", precision.area, row, line["color"])
            # Every ROC curve starts at (0, 0).
            panels[0, column].plot([0, 0], [0, roc.value[0]], lw=1.9, **line)
            areas.append(
                f"{name}, {system}: {roc.area.value:.3f} and {precision.area.value:.3f}"
            )
        base_rate = np.mean(found.label == known.index(name))
        title = style.display_name(name)
        _label(panels[:, column], title, base_rate, is_first=column == 0)
    figure.legend(
        panels[1, 0].lines[: len(pools)],
        [style.display_name(name, 60) for name in pools],
        loc="outside upper center",
        ncols=1 if sum(map(len, pools)) > 70 else 2,
        frameon=False,
        fontsize=style.NORMAL,
    )
    return [
        style.save(
            figure,
            Path(folder) / "roc_curves.png",
            title="ROC and precision-recall curves",
            caption=(
                "Each column separates one class from all others by its probability. "
                "Top: true positive rate against false positive rate, with the area "
                "under the curve (AUC). Bottom: precision against recall, with the "
                "average precision (AP). Dotted lines are random classification. "
                "Shaded bands and brackets are 95% intervals from resampling the "
                "objects by group. Folds are pooled, seeds averaged."
            ),
            alt=f"Area under ROC and average precision. {'; '.join(areas)}.",
        )
    ]


def curves_of(pooled: Pool, index: int) -> tuple[Curve, Curve]:
    """Returns the ROC and precision-recall curves of one class against the rest."""
    is_class, probability = pooled.label == index, pooled.probability[:, index]
    _, row_group = np.unique(pooled.group, return_inverse=True)
    ones = np.ones((1, len(is_class)))
    values = rates(is_class, probability, ones)
    draws = [[], []]
    for weights in group_weights(row_group.max() + 1, num_draws=NUM_DRAWS, seed=0):
        weights = weights[:, row_group].astype(np.float64)
        # A resample without positive or without negative objects has no curve.
        kept = (weights @ is_class > 0) & (weights @ ~is_class > 0)
        for collected, found in zip(
            draws, rates(is_class, probability, weights[kept]), strict=True
        ):
            collected.append(found)
    curves = []
    for (value, area), pieces in zip(values, draws, strict=True):
        resampled, areas = (np.concatenate(part) for part in zip(*pieces, strict=True))
        if not len(areas):  # a single group cannot be resampled
            resampled, areas = value, area
        low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
        curves.append(Curve(value[0], low, high, interval(area[0], areas)))
    return tuple(curves)


def rates(is_class: np.ndarray, probability: np.ndarray, weight: np.ndarray):
    """Returns both curves over GRID and their areas, for weighted objects.

    Args:
        is_class: [o].
        probability: [o] of the class.
        weight: [w o] how often each resample holds each object.
    Returns:  (true positive rate [w g], AUC [w]), (precision [w g], AP [w]), as
        defined by scikit-learn's roc_auc_score and average_precision_score.
    """
    order = np.argsort(-probability, kind="stable")
    # Objects with equal probability share one threshold.
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
        # The first threshold that reaches this recall: steps, without interpolation.
        step = np.searchsorted(true_rate[draw, 1:], GRID - 1e-12)
        found[draw] = precision[draw, np.minimum(step, precision.shape[1] - 1)]
    return (roc, area), (found, mean)


def _draw(axes, curve: Curve, line: dict) -> None:
    color = line["color"]
    axes.fill_between(GRID, curve.low, curve.high, color=color, alpha=0.15, lw=0)
    axes.plot(GRID, curve.value, lw=1.9, **line)


def _write_area(axes, name: str, area: Interval, row: int, color: str) -> None:
    """Writes the area above the panel, where no curve can overlap it."""
    axes.annotate(
        f"{name} {area.value:.3f} [{area.low:.3f}, {area.high:.3f}]",
        (0, 1),
        xytext=(0, 11.5 - 9.5 * row),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=style.SMALL,
        color=color,
    )


def _label(panels, name: str, base_rate: float, *, is_first: bool) -> None:
    above, below = panels
    above.plot([0, 1], [0, 1], color=style.MUTED, lw=1, ls=":")
    below.axhline(base_rate, color=style.MUTED, lw=1, ls=":")
    style.label_axes(
        above,
        title=f"{name}\n",  # the areas are written into the empty line
        x="false positive rate",
        y="true positive rate" if is_first else "",
    )
    style.label_axes(below, x="recall", y="precision" if is_first else "")
    above.tick_params(labelbottom=True)
    for axes in panels:
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03))
