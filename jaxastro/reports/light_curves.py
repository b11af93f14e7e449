"""Example objects as light curves, correct and misclassified ones."""

from pathlib import Path

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.frames import (
    SELECTION_NOTE,
    choose_examples,
    describe_examples,
    example_title,
)

_COLUMNS = 2


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws one light curve per panel; nothing if no light curves are stored."""
    p = predictions
    if not len(p.shown) or "flux" not in p.shown_inputs:
        return []
    chosen, is_correct = choose_examples(p)
    rows = -(-len(chosen) // _COLUMNS)
    figure = style.new_figure(style.WIDTH, 1.75 * rows + 0.4)
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes, number in zip(panels, chosen, strict=False):
        _draw(axes, p, number)
    for axes in panels[len(chosen) :]:
        axes.set_axis_off()
    lines = [panels[0].plot([], [], "o", **_points(k))[0] for k in range(len(p.bands))]
    names = [style.display_name(band, 12) for band in p.bands]
    place = {"loc": "outside lower center", "ncols": 8, "frameon": False}
    figure.legend(lines, names, fontsize=style.NORMAL, **place)
    return [
        style.save(
            figure,
            Path(folder) / "light_curves.png",
            title="Example light curves",
            caption=(
                "One object per panel, misclassified ones first. Points are epochs: "
                "flux as given to the model, with its standard deviation, against "
                "days since the first epoch. Colour is the band. Axes differ between "
                f"panels. {SELECTION_NOTE}"
            ),
            alt=f"Light curves of {describe_examples(is_correct)}.",
        )
    ]


def _points(band: int) -> dict:
    return {"color": style.class_style(band)["color"], "markersize": 3}


def _draw(axes, p: Predictions, number: int) -> None:
    shown = {name: value[number] for name, value in p.shown_inputs.items()}
    for band in range(len(p.bands)):
        rows = shown["epoch_mask"] & (shown["band"] == band)
        time, flux, error = (shown[n][rows] for n in ("time", "flux", "flux_error"))
        # Normalised errors can be negative (a logarithm) and are then not drawn.
        bars = error if (error >= 0).all() else None
        axes.errorbar(time, flux, bars, fmt="o", elinewidth=0.7, **_points(band))
    style.label_axes(axes, grid="y")
    text, color = example_title(p, p.shown[number])
    axes.set_title(text, loc="left", fontsize=style.SMALL, color=color, pad=3)
    if not shown["epoch_mask"].any():
        middle = {"ha": "center", "va": "center", "color": style.MUTED}
        axes.text(0.5, 0.5, "no epoch", transform=axes.transAxes, **middle)
    axes.locator_params(nbins=5)
