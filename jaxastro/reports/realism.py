"""Simulated beside real: one histogram for each quantity and class."""

from pathlib import Path

import numpy as np

from jaxastro.leakage.two_sample import ColumnComparison
from jaxastro.reports import style

NUM_BINS = 18


def draw_realism(
    rows: dict[str, tuple[dict, dict, dict[str, ColumnComparison]]],
    path: Path,
    *,
    title: str,
    labels: dict[str, str],
) -> Path:
    """Draws a grid of histograms, a class a row and a quantity a column.

    Args:
        rows: class -> (real values by name, simulated values, their comparison).
        labels: name of a quantity -> what to write under it.
    """
    height = 0.5 + 1.55 * len(rows)
    figure = style.new_figure(2.0 * len(labels), height)
    grid = figure.subplots(len(rows), len(labels), squeeze=False)
    for line, (name, (real, simulated, found)) in zip(grid, rows.items(), strict=True):
        for axes, quantity in zip(line, labels, strict=True):
            both = [np.asarray(s[quantity], float) for s in (real, simulated)]
            both = [values[np.isfinite(values)] for values in both]
            low, high = np.percentile(np.concatenate(both), [0.5, 99.5])
            bins = np.linspace(low, high if high > low else low + 1, NUM_BINS + 1)
            colours = (style.PALETTE[1], style.PALETTE[0])
            for values, colour, what in zip(
                both, colours, ("real", "simulated"), strict=True
            ):
                weight = np.full(len(values), 1 / len(values))
                clipped = np.clip(values, bins[0], bins[-1])
                axes.hist(
                    clipped,
                    bins,
                    weights=weight,
                    histtype="step",
                    color=colour,
                    label=f"{what} ({len(values)})",
                    linewidth=1.4,
                )
            style.tidy(axes, x=labels[quantity], grid=None)
            axes.set_yticks([])
            axes.set_title(
                f"{style.plain(name)}: D = {found[quantity].distance:.2f}",
                loc="left",
                fontsize=style.SMALL,
                color=style.MUTED,
            )
    handles = grid[0][0].get_legend_handles_labels()[0]
    figure.legend(
        handles,
        ("real", "simulated"),
        loc="outside upper right",
        ncols=2,
        frameon=False,
    )
    return style.save(
        figure,
        path,
        title=title,
        caption="Each panel compares one quantity of real and simulated objects; D is "
        "the Kolmogorov-Smirnov distance, 0 where the distributions are the same.",
        alt=f"Histograms of {len(labels)} quantities for {len(rows)} samples.",
    )
