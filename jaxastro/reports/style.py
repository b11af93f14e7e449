"""Style of all pictures: colours, font sizes, and the caption stored in each file."""

import warnings
from pathlib import Path
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe & Ito 2008: distinguishable with every common colour vision deficiency. Their
# yellow is left out (too pale on white) and so is their black (used for text).
PALETTE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#332288",
    "#7F7F7F",
)
MARKERS = "osD^vPX*"  # classes differ in marker as well as in colour
LINES = ("-", "--", ":", "-.")  # the ninth class: first colour, dashed, second marker
CORRECT, INCORRECT = PALETTE[0], PALETTE[1]
INK, MUTED, GRID = "#1f2933", "#5d6873", "#e4e8ec"
DOTS_PER_INCH = 160
WIDTH = 8.9  # inches; a picture as wide as the page
SMALL, NORMAL, LARGE = 8, 9.5, 11  # points


def class_style(index: int) -> dict[str, str]:
    """Returns colour, marker and line style of a class, the same in every picture."""
    return {
        "color": PALETTE[index % len(PALETTE)],
        "marker": MARKERS[(index + index // len(PALETTE)) % len(MARKERS)],
        "linestyle": LINES[index // len(PALETTE) % len(LINES)],
    }


def pair_style(index: int) -> dict[str, str]:
    """Returns colour and line style of the first or second of two systems."""
    return {"color": (INCORRECT, CORRECT)[index], "linestyle": ("--", "-")[index]}


def new_figure(width: float, height: float) -> Figure:
    """Returns an empty figure of this size in inches, without global state."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.06, wspace=0.05)
    return figure


def label_axes(
    axes: Axes, *, title: str = "", x: str = "", y: str = "", grid="both"
) -> None:
    """Sets title, axis labels, grid and frame; call it after the data are drawn."""
    axes.set_title(title, loc="left", fontsize=LARGE, color=INK, weight="bold", pad=9)
    axes.set_xlabel(x, fontsize=NORMAL, color=INK)
    axes.set_ylabel(y, fontsize=NORMAL, color=INK)
    axes.tick_params(labelsize=SMALL + 0.5, colors=MUTED, length=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#b8c1ca")
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=GRID, linewidth=0.8)


def save(figure: Figure, path: Path, *, title: str, caption: str, alt: str) -> Path:
    """Writes a PNG whose metadata hold its title, caption and text alternative.

    Args:
        title: heading of the picture on the page.
        caption: explains how to read the picture.
        alt: describes the content for readers who cannot see it.
    """
    with warnings.catch_warnings():
        # Glyphs that the font lacks are drawn as boxes; the picture is still written.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        metadata = {"Title": title, "Description": caption, "Comment": alt}
        figure.savefig(path, dpi=DOTS_PER_INCH, metadata=metadata)
    return path


def display_name(name: str, longest: int = 24) -> str:
    """Returns a name shortened for a picture, with $ escaped for matplotlib."""
    name = " ".join(str(name).split())
    name = name if len(name) <= longest else name[: longest - 1] + "…"
    return name.replace("$", r"\$")


def wrapped_name(name: str, width: int) -> str:
    """Returns a name on at most two lines of `width` characters, $ escaped."""
    lines = wrap(
        " ".join(str(name).split()),
        width,
        break_on_hyphens=False,
        max_lines=2,
        placeholder=" …",
    )
    return "\n".join(display_name(line, width) for line in lines)


def count_text(count: int, noun: str) -> str:
    """Returns such as "1 object" or "3 objects"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def percent_text(score: dict | tuple, *, sign: str = "") -> str:
    """Returns such as 70.6 [66.2, 75.1]; with sign="+" such as −1.2 [−3.0, +0.8]."""
    numbers = score.values() if isinstance(score, dict) else score
    # Adding 0 turns the -0.0 that rounding leaves into 0.0.
    value, low, high = (
        f"{round(100 * number, 1) + 0.0:{sign}.1f}".replace("-", "−")
        for number in numbers
    )
    return f"{value} [{low}, {high}]"


def difference_text(difference: dict, digits: int = 2) -> str:
    """Returns such as +0.40 [−0.34, +1.46], with a sign on every number."""
    value, low, high = (
        f"{number:+.{digits}f}".replace("-", "−") for number in difference.values()
    )
    return f"{value} [{low}, {high}]"


def interval_text(score: dict | tuple) -> str:
    """Returns such as 0.71 [0.66, 0.75]."""
    value, low, high = score.values() if isinstance(score, dict) else score
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"
