"""Confusion matrix of each system: mean and standard deviation over folds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxastro.evaluation import metrics
from jaxastro.evaluation.systems import System, ensembles_by_fold, pools_by_run
from jaxastro.reports import style
from jaxastro.reports.confusion_matrix import SHADES, draw_cell_borders, row_share

_PER_ROW = 2  # panels; three leave no room for class names
_MOST_CLASSES_WITH_SPREAD = 6


def write(systems: Sequence[System], folder: Path) -> list[Path]:
    """Draws a confusion matrix of each system, in percent of the true class."""
    found = {system.name: spread_over_folds(system) for system in systems}
    classes = systems[0].members[0].predictions.classes
    size, num_rows = len(classes), -(-len(systems) // _PER_ROW)
    num_columns = min(len(systems), _PER_ROW)
    width = style.WIDTH if num_columns == _PER_ROW else style.WIDTH * 0.56
    side = 0.5 if size <= _MOST_CLASSES_WITH_SPREAD else 0.3  # inches of a cell
    figure = style.new_figure(width, num_rows * (1.25 + side * max(size, 4)))
    panels = figure.subplots(num_rows, num_columns, squeeze=False).ravel()
    for axes, (name, (mean, deviation)) in zip(panels, found.items(), strict=False):
        _draw(axes, classes, mean, deviation)
        style.label_axes(axes, title=style.wrapped_name(name, 38), grid=None)
        axes.set_xlabel("predicted class", fontsize=style.NORMAL, color=style.INK)
        axes.tick_params(labelsize=style.SMALL + 0.5, labelcolor=style.INK)
        draw_cell_borders(axes, size)
    for axes in panels[len(systems) :]:
        axes.set_axis_off()
    for axes in panels[::num_columns]:
        axes.set_ylabel("true class", fontsize=style.NORMAL, color=style.INK)
    return [
        style.save(
            figure,
            Path(folder) / "confusion_matrix.png",
            title="Confusion matrix",
            caption=(
                "One row per true class: the percentage of its objects that the system "
                "assigned to each class. The large number is the mean over the test "
                "folds, the small one the standard deviation; folds without objects of "
                "the class are left out. The seeds of a fold are averaged first. A "
                "perfect system has 100% on the diagonal."
            ),
            alt="Confusion matrices; percent on the diagonal: "
            + "; ".join(
                f"{name}: "
                + ", ".join(
                    f"{c} {value:.0f}"
                    for c, value in zip(classes, np.diag(mean), strict=True)
                    if np.isfinite(value)
                )
                for name, (mean, _) in found.items()
            )
            + ".",
        )
    ]


def spread_over_folds(system: System) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and standard deviation over folds, percent [true, predicted].

    Both are NaN for a class that no fold tested; the deviation also for a class that
    only one fold tested.
    """
    shares = []
    for one in ensembles_by_fold(pools_by_run(system)).values():
        predicted = metrics.predicted_class(one.probability)
        counts = metrics.confusion(one.label, predicted, len(one.classes))
        is_tested = counts.any(axis=1, keepdims=True)
        shares.append(np.where(is_tested, 100 * row_share(counts), np.nan))
    shares = np.array(shares)  # fold true predicted
    mean, deviation = np.full((2, *shares.shape[1:]), np.nan)
    for true, predicted in np.ndindex(mean.shape):
        values = shares[:, true, predicted]
        values = values[np.isfinite(values)]
        if len(values):
            mean[true, predicted] = values.mean()
        if len(values) > 1:
            deviation[true, predicted] = values.std(ddof=1)
    return mean, deviation


def _draw(axes, classes, mean, deviation) -> None:
    size = len(classes)
    axes.imshow(np.nan_to_num(mean), cmap=SHADES, vmin=0, vmax=100, aspect="auto")
    has_spread = size <= _MOST_CLASSES_WITH_SPREAD
    for true, predicted in np.ndindex(size, size):
        value, spread = mean[true, predicted], deviation[true, predicted]
        font = {"ha": "center", "va": "center"}
        font["color"] = "white" if value > 75 else style.INK
        if not np.isfinite(value):
            axes.text(predicted, true, "–", **font)
            continue
        # In large matrices, cells that round to zero stay empty.
        if has_spread or value >= 0.5:
            axes.text(
                predicted,
                true - 0.1 * (has_spread and np.isfinite(spread)),
                f"{value:.0f}",
                fontsize=13 if has_spread else 6.5,
                weight="bold" if has_spread else "normal",
                **font,
            )
        if has_spread and np.isfinite(spread):
            axes.text(
                predicted, true + 0.24, f"± {spread:.0f}", fontsize=style.SMALL, **font
            )
    names = [style.display_name(name, 12) for name in classes]
    axes.set_xticks(range(size), names, rotation=0 if size <= 5 else 60)
    axes.set_yticks(range(size), names)
