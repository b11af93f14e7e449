"""Observing log of HiTS 2015, and the observing conditions of each of its fields.

    field_cond.txt   one frame per line: file, MJD, filter, airmass, seconds, sky and
                     its scatter in ADU (tested on the real file of 1,893 frames)

The log has no field names. The times of the real stamps, equal to those of the log
within 0.005 s, assign frames to fields. Seeing and transparency are measured on the
constant stars, which are never classified.
"""

from pathlib import Path

import numpy as np

from jaxastro.data.series import SeriesRecord
from jaxastro.data.text_table import BLANKS, rows_of
from jaxastro.errors import InputError
from jaxastro.simulation.conditions import (
    Conditions,
    Exposures,
    log_of_frames,
    measure_conditions,
    nearest_frame,
)
from jaxastro.simulation.observing import ObservingLog
from jaxastro.surveys import Survey

LOG_FILE = "field_cond.txt"
CALIBRATORS = "NonVariable"  # their label in the survey
ZERO_POINT = 30.0  # AB magnitude of 1 ADU in 86 s: a dark sky of 22.1 gives 105 ADU


def read_log(path: Path, survey: Survey) -> Exposures:
    """Returns the frames of the survey's bands, sorted by time.

    Raises:
        InputError: if a line is not a frame; the message has its number.
    """
    rows = []
    for line, cells in rows_of(path.read_text().splitlines(), BLANKS):
        try:
            band = cells[2]
            # Filters have names of one to three words: numbers are read from the end.
            airmass, seconds, sky, noise = map(float, cells[-4:])
            mjd = float(cells[1])
        except (ValueError, IndexError) as error:
            raise InputError(
                f"{path}, line {line}: {' '.join(cells)[:80]!r} is not a frame. File, "
                "MJD, band, filter, airmass, seconds, sky and noise are expected. "
                "Download the file again."
            ) from error
        if band in survey.bands and np.isfinite([mjd, airmass, sky, noise]).all():
            rows.append((mjd, survey.bands.index(band), airmass, seconds, sky, noise))
    if not rows:
        raise InputError(f"{path}: no frame in {', '.join(survey.bands)}.")
    columns = np.array(sorted(rows)).T
    return Exposures(*columns)._replace(band=columns[1].astype(np.int32))


def field_logs(
    exposures: Exposures, records: list[SeriesRecord], *, pixel_scale: float, seed: int
) -> dict[str, ObservingLog]:
    """Returns the frames of each field, and their observing conditions.

    Args:
        exposures: all frames of the log.
        records: the real stamps; of all but the constant stars only times are used.
        pixel_scale: arcsec per pixel.
        seed: of the seeing in nights without constant stars.
    """
    stars = [record for record in records if record.label == CALIBRATORS]
    conditions: Conditions = measure_conditions(
        exposures, stars, pixel_scale=pixel_scale, seed=seed
    )
    frames: dict[str, set[int]] = {}
    for record in records:
        if record.label != CALIBRATORS:  # their times are rounded
            found = nearest_frame(exposures, record.mjd)
            frames.setdefault(record.group, set()).update(found[found >= 0].tolist())
    return {
        field: log_of_frames(
            exposures, conditions, np.array(sorted(found)), zero_point=ZERO_POINT
        )
        for field, found in sorted(frames.items())
        if found
    }
