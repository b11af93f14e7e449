"""Some objects as the model saw them, those it got right and those it did not."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation.metrics import predicted_class
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style

_MOST_OBJECTS = 10
_MOST_FRAMES = 9  # of one object, evenly over its epochs
_SOFTENING = 0.2  # of the asinh stretch: linear below, logarithmic above
# In units of one frame: the step to the next one, to the next row, the words' width.
_STEP, _ROW, _WORDS = 1.1, 1.4, 2.9
_WIDTH = _WORDS + _MOST_FRAMES * _STEP


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws one object per row, its frames in time order; nothing if none is shown."""
    p = predictions
    if not len(p.shown) or not {"image", "band"} <= set(p.shown_inputs):
        return []
    chosen, is_right = choose(p)
    figure = style.new_figure(style.WIDTH, style.WIDTH * _ROW * len(chosen) / _WIDTH)
    axes = figure.subplots()
    for row, number in enumerate(chosen):
        _draw_words(axes, row, p, p.shown[number])
        _draw_frames(axes, row, p, number)
    axes.set_xlim(-_WORDS, _WIDTH - _WORDS)
    axes.set_ylim(len(chosen) * _ROW - 0.04, -0.04)
    axes.set_aspect("equal")
    axes.set_axis_off()

    num_right = int(is_right.sum())
    return [
        style.save(
            figure,
            Path(folder) / "frames.png",
            title="Some of the objects",
            caption=(
                "One object per row, mistakes first, its observations from left to "
                "right; under each frame the band (colour of light) and the day "
                f"since the first one. At most {_MOST_FRAMES} frames are drawn, "
                "evenly over all it has. Bright is more light; faint and bright "
                "parts are made visible together (asinh stretch), the same way for "
                "all frames of an object and differently for each object. The "
                "selection is for the eye: how many are right here says nothing of "
                "how many are right in all."
            ),
            alt=(
                f"Frames of {len(chosen)} objects: {len(chosen) - num_right} mistakes, "
                f"{num_right} correct."
            ),
        )
    ]


def stretch(image: np.ndarray) -> np.ndarray:
    """Returns frames [t y x] of one object, from 0 (dark) to 1 (bright).

        asinh(level / softening) / asinh(1 / softening)

    level runs from 0 at the 40th percentile of all frames (the sky) to 1 at the
    99.8th, or at eight times the noise if that is more: else empty frames would show
    their noise as if it were light.
    """
    finite = image[np.isfinite(image)]
    if not finite.size:
        return np.zeros(image.shape)
    faint, low, middle, high = np.percentile(
        finite.astype(np.float64), [16, 40, 50, 99.8]
    )
    high = max(high, low + 8 * (middle - faint))  # 50th - 16th: one sigma of the sky
    # A constant image has no range: all of it is drawn dark.
    level = (np.nan_to_num(image, nan=low) - low) / max(high - low, 1e-30)
    level = np.clip(level, 0, 1)
    return np.arcsinh(level / _SOFTENING) / np.arcsinh(1 / _SOFTENING)


def choose(p: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """Returns which of the shown objects to draw, wrong ones first, and who is right.

    Half of each, as far as there are so many.
    """
    is_right = (predicted_class(p.probability) == p.label)[p.shown]
    # By name, so that the order of the objects cannot matter.
    order = np.argsort(p.object_id[p.shown])
    wrong, right = order[~is_right[order]], order[is_right[order]]
    half = _MOST_OBJECTS // 2
    num_wrong = min(len(wrong), max(half, _MOST_OBJECTS - len(right)))
    chosen = np.concatenate([wrong[:num_wrong], right[: _MOST_OBJECTS - num_wrong]])
    return chosen, is_right[chosen]


def title_of(p: Predictions, at: int) -> tuple[str, str]:
    """Returns what an object is and was called, in a line, and the colour of it."""
    true, guessed = p.label[at], p.probability[at].argmax()
    mark, color = ("✓", style.RIGHT) if true == guessed else ("✗", style.WRONG)
    name = style.plain(p.object_id[at], 16)
    words = f"{name} is {style.plain(p.classes[true], 12)}  {mark} called "
    words += f"{style.plain(p.classes[guessed], 12)}, {p.probability[at, guessed]:.0%}"
    return words, color


def _draw_words(axes, row: int, p: Predictions, at: int) -> None:
    true, guessed = p.label[at], p.probability[at].argmax()
    is_right = true == guessed
    top, left = row * _ROW, -_WORDS
    words = [
        (style.plain(p.object_id[at], 20), style.INK, "bold", style.NORMAL),
        (f"is {style.plain(p.classes[true], 18)}", style.INK, "normal", style.NORMAL),
        (
            f"{'✓' if is_right else '✗'} called {style.plain(p.classes[guessed], 12)}"
            f", {p.probability[at, guessed]:.0%}",
            style.RIGHT if is_right else style.WRONG,
            "bold",
            style.NORMAL,
        ),
        (
            f"{p.probability[at, true]:.0%} for the true class" * (not is_right),
            style.MUTED,
            "normal",
            style.SMALL,
        ),
    ]
    for line, (text, color, weight, size) in enumerate(words):
        axes.text(
            left,
            top + 0.14 + 0.25 * line,
            text,
            color=color,
            weight=weight,
            fontsize=size,
            va="center",
        )


def _draw_frames(axes, row: int, p: Predictions, number: int) -> None:
    shown = {name: value[number] for name, value in p.shown_inputs.items()}
    observed = np.flatnonzero(shown["epoch_mask"])
    observed = observed[np.argsort(shown["time"][observed], kind="stable")]
    if not len(observed):
        axes.text(0, row * _ROW + 0.5, "no frame", color=style.MUTED, va="center")
        return
    image = stretch(shown["image"][observed])
    spaced = np.linspace(0, len(observed) - 1, min(_MOST_FRAMES, len(observed)))
    for column, frame in enumerate(np.round(spaced).astype(int)):
        epoch = observed[frame]
        left, top = column * _STEP, row * _ROW
        axes.imshow(
            image[frame],
            cmap="magma",
            vmin=0,
            vmax=1,
            extent=(left, left + 1, top + 1, top),  # first image row on top
            interpolation="nearest",
        )
        band = p.bands[shown["band"][epoch]]
        axes.text(
            left + 0.5,
            top + 1.03,
            f"{style.plain(band, 6)} · day {shown['time'][epoch]:.0f}",
            ha="center",
            va="top",
            fontsize=style.SMALL - 0.5,
            color=style.MUTED,
        )
