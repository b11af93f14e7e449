"""Stamps side by side: the grid that pictures of alerts share."""

import numpy as np
from matplotlib.figure import Figure

from jaxastro.reports import style

DEEP = 3  # science, template, difference
ACROSS = 2  # objects in a row, of those with three stamps each


def new_grid(rows: int, columns: int, *, tall: float) -> tuple[Figure, np.ndarray]:
    """Returns a figure as wide as the page and its panels [rows columns], frameless.

    Args:
        tall: inches of a row.
    """
    figure = style.new_figure(style.WIDTH, tall * rows)
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    return figure, panels


def new_threes(count: int, *, tall: float, lines: int = 1) -> tuple[Figure, list]:
    """Returns a figure and, of each object, [lines 3] panels below each other.

    Args:
        tall: inches of a line.
    """
    rows = -(-count // ACROSS)
    figure, panels = new_grid(lines * rows, DEEP * ACROSS, tall=tall)
    each = panels.reshape(rows, lines, ACROSS, DEEP).swapaxes(1, 2)
    return figure, list(each.reshape(-1, lines, DEEP)[:count])


def draw(axes, image: np.ndarray, *, like: np.ndarray | None = None) -> None:
    """Draws one stamp [y x], between percentiles of its own or of another's pixels."""
    low, high = np.percentile(image if like is None else like, [1, 99.7])
    look = {"vmin": low, "vmax": max(high, low + 1e-9)}
    axes.imshow(image, cmap="magma", origin="lower", **look)


def draw_three(panels, stamp: np.ndarray, *, like: np.ndarray | None = None) -> None:
    """Draws science, template and difference [y x 3] in three panels."""
    for channel, axes in enumerate(panels):
        same = None if like is None else like[..., channel]
        draw(axes, stamp[..., channel], like=same)
