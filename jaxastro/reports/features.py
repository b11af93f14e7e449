"""Which features are alike, which a forest uses, and how many it needs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator

from jaxastro.reports import style

MOST = 30  # features in the ranking


def write(folds: Sequence[dict], rows: Sequence[dict], folder: Path) -> list[Path]:
    """Draws the three pictures of a study of features.

    Args:
        folds: of each: features, correlation, accuracy (model -> one to all).
        rows: of each feature: feature, importance, spread, place.
    """
    return [
        _correlation(folds, folder),
        _ranking(rows, folder),
        _accuracy(folds, folder),
    ]


def _correlation(folds: Sequence[dict], folder: Path) -> Path:
    names = folds[0]["features"]
    value = np.mean([fold["correlation"] for fold in folds], axis=0)
    side = max(4.5, 0.19 * len(names) + 2.2)
    figure = style.new_figure(side + 0.6, side)
    axes = figure.subplots()
    image = axes.imshow(value, cmap="RdBu_r", vmin=-1, vmax=1)
    labels = [style.plain(name) for name in names]
    style.tidy(axes, title="Which features are alike", grid="")
    axes.set_xticks(range(len(names)), labels, rotation=90)
    axes.set_yticks(range(len(names)), labels)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, shrink=0.6)
    bar.set_label("correlation of ranks", fontsize=style.NORMAL, color=style.INK)
    bar.ax.tick_params(labelsize=style.SMALL, colors=style.MUTED, length=0)
    bar.outline.set_visible(False)
    pairs = [
        f"{names[i]} and {names[k]}"
        for i, k in np.argwhere(np.triu(abs(value), 1) >= 0.9)
    ]
    return style.save(
        figure,
        folder / "correlation.png",
        title="Which features are alike",
        caption=(
            "Spearman's correlation of the training objects, the mean over folds: dark "
            "red where two features rise together, dark blue where one falls as the "
            "other rises. Of features at 0.9 and above, of either sign, one is kept."
        ),
        alt=f"Pairs at 0.9 and above: {'; '.join(pairs) or 'none'}.",
    )


def _ranking(rows: Sequence[dict], folder: Path) -> Path:
    shown = [row for row in rows if row["folds"]]
    shown = sorted(shown, key=lambda row: -row["importance"])[:MOST]
    figure = style.new_figure(style.WIDTH, 1.3 + 0.24 * len(shown))
    axes = figure.subplots()
    place = np.arange(len(shown))
    size = [row["importance"] for row in shown]
    spread = [row["spread"] for row in shown]
    axes.barh(place, size, xerr=spread, color=style.RIGHT, ecolor=style.MUTED)
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
    title = "What a forest of all of them uses"
    style.tidy(axes, title=title, x="importance (all together: 1)", grid="x")
    axes.set_yticks(place, [style.plain(row["feature"]) for row in shown])
    axes.invert_yaxis()
    axes.margins(x=0.14)
    told = ", ".join(f"{row['feature']} {row['importance']:.3f}" for row in shown)
    return style.save(
        figure,
        folder / "ranking.png",
        title="What a forest uses",
        caption=(
            "How much each feature parts the classes in a forest of all that are "
            "kept: mean and deviation over folds. Beside it the mean place at which "
            "forward selection chose it. Features that say nearly the same share what "
            "they are worth here, and the second of them is chosen late."
        ),
        alt=f"Importances: {told}.",
    )


def _accuracy(folds: Sequence[dict], folder: Path) -> Path:
    figure = style.new_figure(style.WIDTH, 4.2)
    axes = figure.subplots()
    told = []
    for index, model in enumerate(folds[0]["accuracy"]):
        curves = [fold["accuracy"][model] for fold in folds]
        count = min(map(len, curves))  # folds may keep one more or less
        value = 100 * np.array([curve[:count] for curve in curves])
        mean, spread = value.mean(axis=0), value.std(axis=0)
        number, how = np.arange(1, count + 1), style.class_style(index)
        axes.plot(number, mean, markersize=4, label=model, **how)
        band = {"color": how["color"], "alpha": 0.2, "linewidth": 0}
        axes.fill_between(number, mean - spread, mean + spread, **band)
        told.append(f"{model}: " + ", ".join(f"{v:.1f}" for v in mean))
    style.tidy(axes, title="How many it needs", x="features", y="accuracy, %")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, loc="lower right", fontsize=style.NORMAL)
    return style.save(
        figure,
        folder / "accuracy.png",
        title="How many features are needed",
        caption=(
            "Accuracy on test folds with one feature, with two, and so on, in the "
            "order that forward selection found on the training objects of each fold: "
            "mean over folds, and the shade one deviation. Where the curve is flat "
            "more features add nothing."
        ),
        alt=f"Mean accuracy in percent from one feature on. {'; '.join(told)}.",
    )
