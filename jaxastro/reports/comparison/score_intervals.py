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
        s.name: s.published["macro_f1"] for s in rows if "macro_f1" in s.published
    }
    labels = [style.wrapped_name(system.name, 34) for system in rows]
    heights = sum(0.34 + 0.14 * label.count("\n") for label in labels)
    figure = style.new_figure(style.WIDTH, 1.3 + heights)
    if published:
        ours, theirs = figure.subplots(1, 2, sharey=True, width_ratios=[5, 2])
    else:
        ours, theirs = figure.subplots(), None
    for place, system in enumerate(rows):
        is_reference = system.name == reference
        _draw(ours, place, scores[system.name], is_reference=is_reference)
        if system.name in published:
            theirs.plot(
                published[system.name],
                place,
                "D",
                markerfacecolor="white",
                markeredgecolor=style.INK,
                markersize=6.5,
            )
    if reference in scores:
        value = 100 * scores[reference]["value"]
        ours.axvline(value, color=style.INCORRECT, lw=1.1, ls="--", zorder=0)
    style.label_axes(ours, title="Measured", x="macro F1, %", grid="x")
    ours.margins(x=0.08)
    ours.set_yticks(range(len(rows)), labels)
    ours.tick_params(axis="y", labelsize=style.NORMAL, labelcolor=style.INK)
    ours.set_ylim(len(rows) - 0.5, -0.5)
    ours.spines["left"].set_visible(False)
    if theirs:
        style.label_axes(
            theirs, title="Published,\nother data", x="macro F1, %", grid="x"
        )
        theirs.tick_params(axis="y", labelleft=False)
        theirs.spines["left"].set_visible(False)
        theirs.margins(x=0.18)
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
            figure,
            Path(folder) / "score_intervals.png",
            title="Macro F1 of all systems",
            caption=caption,
            alt=f"Macro F1 in percent, measured here. {listed}.",
        )
    ]


def _draw(axes, place: int, score: dict, *, is_reference: bool) -> None:
    value, low, high = (100 * score[key] for key in ("value", "low", "high"))
    color = style.INCORRECT if is_reference else style.CORRECT
    axes.hlines(place, low, high, color=color, linewidth=5, alpha=0.3)
    axes.plot(value, place, "s" if is_reference else "o", color=color, markersize=7)
