"""Grid of alert stamps, shared by all pictures that show stamps."""

import numpy as np
from matplotlib.figure import Figure

from jaxastro.reports import style

SCIENCE, TEMPLATE, DIFFERENCE = range(3)  # channels of a stamp
NUM_STAMPS = 3
OBJECTS_PER_ROW = 2  # where each object has three stamps


def new_grid(
    rows: int, columns: int, *, row_height: float
) -> tuple[Figure, np.ndarray]:
    """Returns a figure as wide as the page and its panels [rows columns], frameless.

    Args:
        row_height: inches.
    """
    figure = style.new_figure(style.WIDTH, row_height * rows)
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    return figure, panels


def new_triplets(
    count: int, *, row_height: float, lines: int = 1
) -> tuple[Figure, list]:
    """Returns a figure and, for each object, its panels [lines 3].

    Args:
        row_height: inches of one line.
        lines: lines of stamps below each other per object.
    """
    rows = -(-count // OBJECTS_PER_ROW)
    columns = NUM_STAMPS * OBJECTS_PER_ROW
    figure, panels = new_grid(lines * rows, columns, row_height=row_height)
    each = panels.reshape(rows, lines, OBJECTS_PER_ROW, NUM_STAMPS).swapaxes(1, 2)
    return figure, list(each.reshape(-1, lines, NUM_STAMPS)[:count])


def draw_stamp(axes, image: np.ndarray, *, like: np.ndarray | None = None) -> None:
    """Draws one stamp [y x], scaled to percentiles of its own pixels or of `like`."""
    low, high = np.percentile(image if like is None else like, [1, 99.7])
    scale = {"vmin": low, "vmax": max(high, low + 1e-9)}
    axes.imshow(image, cmap="magma", origin="lower", **scale)


def draw_triplet(panels, stamp: np.ndarray, *, like: np.ndarray | None = None) -> None:
    """Draws science, template and difference [y x 3] in three panels."""
    for channel, axes in enumerate(panels):
        reference = None if like is None else like[..., channel]
        draw_stamp(axes, stamp[..., channel], like=reference)
