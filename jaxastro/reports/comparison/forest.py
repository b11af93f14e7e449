"""All rows of the table in one look; published numbers in a panel of their own."""

from collections.abc import Sequence
from pathlib import Path

from jaxastro.evaluation.systems import System
from jaxastro.reports import style


def write(
    systems: Sequence[System], folder: Path, scores: dict[str, dict], reference: str
) -> list[Path]:
    """Draws macro F1 of every system with its interval.

    Args:
        scores: name -> macro F1 {value, low, high} of the systems that are trained.
    """
    rows = [system for system in systems if system.name in scores]
    published = {s.name: s.published["macro_f1"] for s in rows if "macro_f1" in s[3]}
    labels = [style.wrapped(system.name, 34) for system in rows]
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
        ours.axvline(value, color=style.WRONG, lw=1.1, ls="--", zorder=0)
    style.tidy(ours, title="Measured here", x="macro F1, %", grid="x")
    ours.margins(x=0.08)
    ours.set_yticks(range(len(rows)), labels)
    ours.tick_params(axis="y", labelsize=style.NORMAL, labelcolor=style.INK)
    ours.set_ylim(len(rows) - 0.5, -0.5)
    ours.spines["left"].set_visible(False)
    if theirs:
        style.tidy(theirs, title="Published,\nother data", x="macro F1, %", grid="x")
        theirs.tick_params(axis="y", labelleft=False)
        theirs.spines["left"].set_visible(False)
        theirs.margins(x=0.18)
    note = (
        " Hollow marks in the other panel are the published numbers, of other data and "
        "averaged otherwise: compare their order with ours, never the numbers."
    )
    told = "; ".join(f"{n} {style.percent_text(score)}" for n, score in scores.items())
    return [
        style.save(
            figure,
            Path(folder) / "forest.png",
            title="All systems in one look",
            caption=(
                "Each dot is the macro F1 of one system over all test folds, seeds "
                "averaged; the bar is the range that 95% of the resamples of the "
                "objects by group give. The dashed line is the reference, drawn in its "
                "colour. Bars that overlap do not mean that two systems are alike: "
                "they are scored on the same objects, and the table has the interval "
                "of the difference." + note * bool(published)
            ),
            alt=f"Macro F1 in percent, measured here. {told}.",
        )
    ]


def _draw(axes, place: int, score: dict, *, is_reference: bool) -> None:
    value, low, high = (100 * score[key] for key in ("value", "low", "high"))
    color = style.WRONG if is_reference else style.RIGHT
    axes.hlines(place, low, high, color=color, linewidth=5, alpha=0.3)
    axes.plot(value, place, "s" if is_reference else "o", color=color, markersize=7)
