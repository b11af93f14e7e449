"""Pictures of a feature selection: correlation, importance, accuracy by number."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator

from jaxastro.reports import style

MOST = 30  # features in the picture of importances


def write(folds: Sequence[dict], rows: Sequence[dict], folder: Path) -> list[Path]:
    """Draws the three pictures of a feature selection.

    Args:
        folds: for each fold its features, their correlation, and for each model the
            accuracy with one feature, two features, and so on to all.
        rows: for each feature its name, importance, spread and place.
    """
    return [
        _draw_correlation(folds, folder),
        _draw_importance(rows, folder),
        _draw_accuracy(folds, folder),
    ]


def _draw_correlation(folds: Sequence[dict], folder: Path) -> Path:
    names = folds[0]["features"]
    value = np.mean([fold["correlation"] for fold in folds], axis=0)
    side = max(4.5, 0.19 * len(names) + 2.2)
    figure = style.new_figure(side + 0.6, side)
    axes = figure.subplots()
    image = axes.imshow(value, cmap="RdBu_r", vmin=-1, vmax=1)
    labels = [style.display_name(name) for name in names]
    style.label_axes(axes, title="Feature correlation", grid="")
    axes.set_xticks(range(len(names)), labels, rotation=90)
    axes.set_yticks(range(len(names)), labels)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, shrink=0.6)
    bar.set_label("rank correlation", fontsize=style.NORMAL, color=style.INK)
    bar.ax.tick_params(labelsize=style.SMALL, colors=style.MUTED, length=0)
    bar.outline.set_visible(False)
    pairs = [
        f"{names[i]} and {names[k]}"
        for i, k in np.argwhere(np.triu(abs(value), 1) >= 0.9)
    ]
    return style.save(
        figure,
        folder / "feature_correlation.png",
        title="Feature correlation",
        caption=(
            "Spearman rank correlation over the training objects, mean over folds. Red "
            "is positive, blue negative. Of features with a correlation of 0.9 or more "
            "in absolute value, one is kept."
        ),
        alt=f"Pairs at 0.9 and above: {'; '.join(pairs) or 'none'}.",
    )


def _draw_importance(rows: Sequence[dict], folder: Path) -> Path:
    shown = [row for row in rows if row["folds"]]
    shown = sorted(shown, key=lambda row: -row["importance"])[:MOST]
    figure = style.new_figure(style.WIDTH, 1.3 + 0.24 * len(shown))
    axes = figure.subplots()
    place = np.arange(len(shown))
    size = [row["importance"] for row in shown]
    spread = [row["spread"] for row in shown]
    axes.barh(place, size, xerr=spread, color=style.CORRECT, ecolor=style.MUTED)
    for y, row in enumerate(shown):
        axes.annotate(
            f"place {row['place']:.3g}",
            (row["importance"] + row["spread"], y),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.SMALL,
            color=style.MUTED,
        )
    title = "Feature importance"
    style.label_axes(axes, title=title, x="importance (sum over all: 1)", grid="x")
    axes.set_yticks(place, [style.display_name(row["feature"]) for row in shown])
    axes.invert_yaxis()
    axes.margins(x=0.14)
    listed = ", ".join(f"{row['feature']} {row['importance']:.3f}" for row in shown)
    return style.save(
        figure,
        folder / "feature_importance.png",
        title=title,
        caption=(
            "Impurity importance of each feature in a random forest on all kept "
            "features: mean and standard deviation over folds. The text is the mean "
            "place at which forward selection chose the feature. Correlated features "
            "share their importance, and the second of them is chosen late."
        ),
        alt=f"Importances: {listed}.",
    )


def _draw_accuracy(folds: Sequence[dict], folder: Path) -> Path:
    figure = style.new_figure(style.WIDTH, 4.2)
    axes = figure.subplots()
    listed = []
    for index, model in enumerate(folds[0]["accuracy"]):
        curves = [fold["accuracy"][model] for fold in folds]
        count = min(map(len, curves))  # folds may keep one feature more or less
        value = 100 * np.array([curve[:count] for curve in curves])
        mean, spread = value.mean(axis=0), value.std(axis=0)
        number, line = np.arange(1, count + 1), style.class_style(index)
        axes.plot(number, mean, markersize=4, label=model, **line)
        band = {"color": line["color"], "alpha": 0.2, "linewidth": 0}
        axes.fill_between(number, mean - spread, mean + spread, **band)
        listed.append(f"{model}: " + ", ".join(f"{v:.1f}" for v in mean))
    title = "Accuracy by number of features"
    style.label_axes(axes, title=title, x="features", y="accuracy, %")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, loc="lower right", fontsize=style.NORMAL)
    return style.save(
        figure,
        folder / "accuracy_by_features.png",
        title=title,
        caption=(
            "Accuracy on the test folds with the first feature, the first two, and so "
            "on, in the order that forward selection found on the training objects of "
            "each fold: mean and standard deviation over folds. Where the curve is "
            "flat, more features do not improve the accuracy."
        ),
        alt=f"Mean accuracy in percent from one feature on. {'; '.join(listed)}.",
    )
