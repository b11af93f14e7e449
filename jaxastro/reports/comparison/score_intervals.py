"""Macro F1 of all systems with intervals; published numbers in a separate panel."""

from collections.abc import Sequence
from pathlib import Path

from jaxastro.evaluation.systems import System
from jaxastro.reports import style


def write(
    systems: Sequence[System], folder: Path, scores: dict[str, dict], reference: str
) -> list[Path]:
    """Draws the macro F1 of every system with its interval.

    Args:
        scores: name -> macro F1 {value, low, high} of the trained systems.
    """
    rows = [system for system in systems if system.name in scores]
    published = {
        system.name: system.published["macro_f1"]
        for system in rows
        if "macro_f1" in system.published
    }
    caption = (
        "Macro F1 of each system over all test folds, seeds averaged; bars are 95% "
        "intervals from resampling the objects by group. The dashed line is the "
        "reference. Overlapping bars do not mean that two systems are equal: they are "
        "scored on the same objects, and the table gives the interval of the paired "
        "difference."
    )
    if published:
        caption += (
            " Hollow markers are published numbers, from other data and another "
            "averaging. Only their order can be compared with the measured one."
        )
    listed = "; ".join(
        f"{name} {style.percent_text(score)}" for name, score in scores.items()
    )
    return [
        style.save(
            _draw([system.name for system in rows], scores, published, reference),
            Path(folder) / "score_intervals.png",
            title="Macro F1 of all systems",
            caption=caption,
            alt=f"Macro F1 in percent, measured here. {listed}.",
        )
    ]


def _draw(
    names: list[str],
    scores: dict[str, dict],
    published: dict[str, float],
    reference: str,
):
    labels = [style.wrapped_name(name, 34) for name in names]
    heights = sum(0.34 + 0.14 * label.count("\n") for label in labels)
    figure = style.new_figure(style.WIDTH, 1.3 + heights)
    if published:
        axes, published_axes = figure.subplots(1, 2, sharey=True, width_ratios=[5, 2])
    else:
        axes, published_axes = figure.subplots(), None
    for place, name in enumerate(names):
        _draw_score(axes, place, scores[name], is_reference=name == reference)
    if reference in scores:
        value = 100 * scores[reference]["value"]
        axes.axvline(value, color=style.INCORRECT, lw=1.1, ls="--", zorder=0)
    style.label_axes(axes, title="Measured", x="macro F1, %", grid="x")
    axes.margins(x=0.08)
    axes.set_yticks(range(len(names)), labels)
    axes.tick_params(axis="y", labelsize=style.NORMAL, labelcolor=style.INK)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
    if published_axes:
        places = {names.index(name): value for name, value in published.items()}
        _draw_published(published_axes, places)
    return figure


def _draw_score(axes, place: int, score: dict, *, is_reference: bool) -> None:
    value, low, high = (100 * score[key] for key in ("value", "low", "high"))
    color = style.INCORRECT if is_reference else style.CORRECT
    axes.hlines(place, low, high, color=color, linewidth=5, alpha=0.3)
    axes.plot(value, place, "s" if is_reference else "o", color=color, markersize=7)


def _draw_published(axes, places: dict[int, float]) -> None:
    hollow = {"markerfacecolor": "white", "markeredgecolor": style.INK}
    for place, value in places.items():
        axes.plot(value, place, "D", markersize=6.5, **hollow)
    style.label_axes(axes, title="Published,\nother data", x="macro F1, %", grid="x")
    axes.tick_params(axis="y", labelleft=False)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.18)
