"""Example objects as image sequences, correct and misclassified ones."""

from pathlib import Path

import numpy as np

from jaxastro.evaluation.metrics import predicted_class
from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style

_MOST_OBJECTS = 10
_MOST_FRAMES = 9  # of one object, evenly over its epochs
_SOFTENING = 0.2  # of the asinh stretch: linear below, logarithmic above
# In units of one frame: distance of columns, of rows, and the width of the text.
_STEP, _ROW, _TEXT = 1.1, 1.4, 2.9
_WIDTH = _TEXT + _MOST_FRAMES * _STEP
SELECTION_NOTE = (
    "Examples are chosen from both groups, so their numbers do not show the accuracy."
)


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws one object per row with its frames in time order.

    Returns nothing if no image sequences are stored.
    """
    p = predictions
    if not len(p.shown) or not {"image", "band"} <= set(p.shown_inputs):
        return []
    chosen, is_correct = choose_examples(p)
    figure = style.new_figure(style.WIDTH, style.WIDTH * _ROW * len(chosen) / _WIDTH)
    axes = figure.subplots()
    for row, number in enumerate(chosen):
        _draw_text(axes, row, p, p.shown[number])
        _draw_frames(axes, row, p, number)
    axes.set_xlim(-_TEXT, _WIDTH - _TEXT)
    axes.set_ylim(len(chosen) * _ROW - 0.04, -0.04)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return [
        style.save(
            figure,
            Path(folder) / "frames.png",
            title="Example image sequences",
            caption=(
                "One object per row, misclassified ones first, epochs from left to "
                "right, with band and days since the first epoch. At most "
                f"{_MOST_FRAMES} frames are drawn, evenly over all epochs. All frames "
                "of an object share one brightness scale (asinh stretch). "
                f"{SELECTION_NOTE}"
            ),
            alt=f"Frames of {describe_examples(is_correct)}.",
        )
    ]


def stretch(image: np.ndarray) -> np.ndarray:
    """Returns frames [t y x] of one object, scaled from 0 (dark) to 1 (bright).

        asinh(level / softening) / asinh(1 / softening)

    level is 0 at the 40th percentile of all frames (the sky) and 1 at the 99.8th, or
    at eight times the noise if that is more. Without this minimum, the noise of empty
    frames would appear bright.
    """
    finite = image[np.isfinite(image)]
    if not finite.size:
        return np.zeros(image.shape)
    faint, low, middle, high = np.percentile(
        finite.astype(np.float64), [16, 40, 50, 99.8]
    )
    high = max(high, low + 8 * (middle - faint))  # 50th - 16th: one sigma of the sky
    # A constant image has no range and is drawn dark.
    level = (np.nan_to_num(image, nan=low) - low) / max(high - low, 1e-30)
    level = np.clip(level, 0, 1)
    return np.arcsinh(level / _SOFTENING) / np.arcsinh(1 / _SOFTENING)


def choose_examples(p: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """Returns the stored objects to draw [n], and whether each is correct [n].

    Misclassified objects come first; half of each group, if there are enough.
    """
    is_correct = (predicted_class(p.probability) == p.label)[p.shown]
    # Sorted by name, so the result does not depend on the order of the objects.
    order = np.argsort(p.object_id[p.shown])
    wrong, right = order[~is_correct[order]], order[is_correct[order]]
    half = _MOST_OBJECTS // 2
    num_wrong = min(len(wrong), max(half, _MOST_OBJECTS - len(right)))
    chosen = np.concatenate([wrong[:num_wrong], right[: _MOST_OBJECTS - num_wrong]])
    return chosen, is_correct[chosen]


def describe_examples(is_correct: np.ndarray) -> str:
    """Returns such as "10 objects: 5 misclassified, 5 correct"."""
    right = int(is_correct.sum())
    total = style.count_text(len(is_correct), "object")
    return f"{total}: {len(is_correct) - right} misclassified, {right} correct"


def example_title(p: Predictions, row: int) -> tuple[str, str]:
    """Returns a line with name, true and predicted class, and the colour of it."""
    true, predicted = p.label[row], p.probability[row].argmax()
    mark, color = _mark(true == predicted)
    name = style.display_name(p.object_id[row], 16)
    return (
        f"{name}, true {style.display_name(p.classes[true], 12)}  {mark} predicted "
        f"{style.display_name(p.classes[predicted], 12)}, "
        f"{p.probability[row, predicted]:.0%}"
    ), color


def _mark(is_correct: bool) -> tuple[str, str]:
    return ("✓", style.CORRECT) if is_correct else ("✗", style.INCORRECT)


def _draw_text(axes, row: int, p: Predictions, number: int) -> None:
    true, predicted = p.label[number], p.probability[number].argmax()
    mark, color = _mark(true == predicted)
    name = style.display_name(p.object_id[number], 20)
    true_name = style.display_name(p.classes[true], 18)
    predicted_name = style.display_name(p.classes[predicted], 12)
    prediction = f"{mark} {predicted_name}, {p.probability[number, predicted]:.0%}"
    lines = [
        (name, style.INK, "bold", style.NORMAL),
        (f"true: {true_name}", style.INK, "normal", style.NORMAL),
        (prediction, color, "bold", style.NORMAL),
    ]
    if true != predicted:
        share = f"true class: {p.probability[number, true]:.0%}"
        lines.append((share, style.MUTED, "normal", style.SMALL))
    for line, (text, color, weight, size) in enumerate(lines):
        axes.text(
            -_TEXT,
            row * _ROW + 0.14 + 0.25 * line,
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
            f"{style.display_name(band, 6)} · day {shown['time'][epoch]:.0f}",
            ha="center",
            va="top",
            fontsize=style.SMALL - 0.5,
            color=style.MUTED,
        )
