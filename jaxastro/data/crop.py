"""Central crops: survey facts and records with smaller images."""

import numpy as np

from jaxastro.data.record import Record
from jaxastro.errors import InputError
from jaxastro.surveys import Survey

IMAGES = {  # kind of record -> fields with images -> axis of the rows
    "series": {"flux": 1, "bad_pixel": 1},
    "alerts": {"stamp": 1, "bad_pixel": 1},
    "cutout": {"image": 0},
}


def survey_cropped(survey: Survey, side: int) -> Survey:
    """Returns the survey's facts with images of `side` pixels on a side.

    Raises:
        InputError: if the survey has no square images, or if they are smaller.
    """
    if survey.kind not in IMAGES or survey.shape:
        raise InputError(
            f"config.selection.crop={side}, but survey {survey.name} has no square "
            "images. Set it to 0."
        )
    if not 0 < side <= survey.image_size:
        raise InputError(
            f"config.selection.crop={side}, but the images of {survey.name} have "
            f"{survey.image_size}x{survey.image_size} pixels. Set it to a smaller "
            "number, or to 0 for full images."
        )
    return survey._replace(image_size=side)


def record_cropped(record: Record, side: int, kind: str) -> Record:
    """Returns the record with the central [side side] pixels of its images.

    Pixel n // 2 of n, the position of the object, becomes pixel side // 2.

    Args:
        kind: of the record, a key of IMAGES.
    """

    def middle(image: np.ndarray, axis: int) -> np.ndarray:
        rows, columns = (
            slice(n // 2 - side // 2, n // 2 - side // 2 + side)
            for n in image.shape[axis : axis + 2]
        )
        return image[(slice(None),) * axis + (rows, columns)]

    cut = {n: middle(getattr(record, n), axis) for n, axis in IMAGES[kind].items()}
    return record._replace(**cut)
