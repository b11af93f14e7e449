"""Some objects' light curves, those the model got right and those it did not."""

from pathlib import Path

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style
from jaxastro.reports.frames import choose, title_of

_COLUMNS = 2


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws a light curve per panel; nothing if none is shown."""
    p = predictions
    if not len(p.shown) or "flux" not in p.shown_inputs:
        return []
    chosen, is_right = choose(p)
    rows = -(-len(chosen) // _COLUMNS)
    figure = style.new_figure(style.WIDTH, 1.75 * rows + 0.4)
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes, number in zip(panels, chosen, strict=False):
        _draw(axes, p, number)
    for axes in panels[len(chosen) :]:
        axes.set_axis_off()
    lines = [panels[0].plot([], [], "o", **_look(k))[0] for k in range(len(p.bands))]
    names = [style.plain(band, 12) for band in p.bands]
    how = {"loc": "outside lower center", "ncols": 8, "frameon": False}
    figure.legend(lines, names, fontsize=style.NORMAL, **how)
    return [
        style.save(
            figure,
            Path(folder) / "light_curves.png",
            title="Some of the objects",
            caption=(
                "One object per panel, mistakes first. A point is an observation: "
                "across, days since the first one; up, how bright, as the model sees "
                "it; the bar, one standard deviation. Colour is the band (colour of "
                "light). Panels have scales of their own. The selection is for the "
                "eye: how many are right here says nothing of how many are right in "
                "all."
            ),
            alt=(
                f"Light curves of {len(chosen)} objects: "
                f"{len(chosen) - int(is_right.sum())} mistakes, "
                f"{int(is_right.sum())} correct."
            ),
        )
    ]


def _look(band: int) -> dict:
    found = style.class_style(band)
    return {"color": found["color"], "markersize": 3}


def _draw(axes, p: Predictions, number: int) -> None:
    shown = {name: value[number] for name, value in p.shown_inputs.items()}
    for band in range(len(p.bands)):
        seen = shown["epoch_mask"] & (shown["band"] == band)
        time, flux, error = (shown[n][seen] for n in ("time", "flux", "flux_error"))
        # Errors on a logarithmic scale of their own are no bars.
        bars = error if (error >= 0).all() else None
        axes.errorbar(time, flux, bars, fmt="o", elinewidth=0.7, **_look(band))
    style.tidy(axes, grid="y")
    words, color = title_of(p, p.shown[number])
    axes.set_title(words, loc="left", fontsize=style.SMALL, color=color, pad=3)
    if not shown["epoch_mask"].any():
        middle = {"ha": "center", "va": "center", "color": style.MUTED}
        axes.text(0.5, 0.5, "no observation", transform=axes.transAxes, **middle)
    axes.locator_params(nbins=5)
