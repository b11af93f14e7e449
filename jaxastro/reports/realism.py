"""Histograms of simulated and real objects, one per class and quantity."""

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
    """Draws a grid of histograms with one row per class and one column per quantity.

    Args:
        rows: class -> (real values by name, simulated values, their comparison).
        labels: name of a quantity -> axis label.
    """
    height = 0.5 + 1.55 * len(rows)
    figure = style.new_figure(2.0 * len(labels), height)
    grid = figure.subplots(len(rows), len(labels), squeeze=False)
    for line, (name, (real, simulated, found)) in zip(grid, rows.items(), strict=True):
        for axes, quantity in zip(line, labels, strict=True):
            _draw(axes, real[quantity], simulated[quantity])
            style.label_axes(axes, x=labels[quantity], grid=None)
            axes.set_yticks([])
            axes.set_title(
                f"{style.display_name(name)}: D = {found[quantity].distance:.2f}",
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
        caption="Histograms of real and simulated objects, one row per class and one "
        "column per quantity. D is the Kolmogorov-Smirnov distance, 0 for equal "
        "distributions.",
        alt=f"Histograms of {len(labels)} quantities for {len(rows)} samples.",
    )


def _draw(axes, real, simulated) -> None:
    samples = {
        name: values[np.isfinite(values)]
        for name, values in (
            ("real", np.asarray(real, float)),
            ("simulated", np.asarray(simulated, float)),
        )
    }
    low, high = np.percentile(np.concatenate(list(samples.values())), [0.5, 99.5])
    bins = np.linspace(low, high if high > low else low + 1, NUM_BINS + 1)
    colors = {"real": style.PALETTE[1], "simulated": style.PALETTE[0]}
    for name, values in samples.items():
        axes.hist(
            np.clip(values, bins[0], bins[-1]),
            bins,
            weights=np.full(len(values), 1 / len(values)),
            histtype="step",
            color=colors[name],
            label=f"{name} ({len(values)})",
            linewidth=1.4,
        )
