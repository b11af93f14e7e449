"""The middle of a survey's images, as if no more had been cut out of the frames."""

import numpy as np

from jaxastro.errors import InputError
from jaxastro.surveys import Survey

IMAGES = {  # fields of records that hold images -> the axis of their rows
    "series": {"flux": 1, "bad_pixel": 1},
    "alerts": {"stamp": 1, "bad_pixel": 1},
    "cutout": {"image": 0},
}


def survey_cropped(survey: Survey, side: int) -> Survey:
    """Returns the survey's facts with images of so many pixels on a side.

    Raises:
        ValueError: if there are no such images, or they are smaller.
    """
    if survey.kind not in IMAGES or survey.shape:
        raise InputError(
            f"config.selection.crop={side}, but survey {survey.name} has no square images. "
            "Set it to 0."
        )
    if not 0 < side <= survey.image_size:
        raise InputError(
            f"config.selection.crop={side}, but the images of {survey.name} are of "
            f"{survey.image_size}x{survey.image_size} pixels. Set it to no more, or to "
            "0 for whole images."
        )
    return survey._replace(image_size=side)


def record_cropped(record: tuple, side: int, kind: str) -> tuple:
    """Returns the record with the middle of its images, [side side].

    Pixel n // 2 of n, where a stamp's object lies, becomes pixel side // 2.
    """

    def middle(image: np.ndarray, axis: int) -> np.ndarray:
        rows, columns = (
            slice(n // 2 - side // 2, n // 2 - side // 2 + side)
            for n in image.shape[axis : axis + 2]
        )
        return image[(slice(None),) * axis + (rows, columns)]

    cut = {n: middle(getattr(record, n), axis) for n, axis in IMAGES[kind].items()}
    return record._replace(**cut)
