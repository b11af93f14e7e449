"""The observing log of HiTS 2015 and, from it, what each of its fields was seen in.

    field_cond.txt   one frame a line: file, MJD, filter, airmass, seconds, sky and its
                     scatter in ADU (checked on the real file of 1,893 frames)

The log names no field. The times of the real stamps, equal to the log to 0.005 s,
tell which frames are whose; seeing and transparency come from the constant stars, of
which none is ever classified.
"""

from pathlib import Path

import numpy as np

from jaxastro.data.series import SeriesRecord
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
    """Returns the frames of the survey's bands, in time order.

    Raises:
        ValueError: if a line has no numbers where they belong; names the line.
    """
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        words = line.split()
        try:
            band = words[2]
            # Filter names are of one to three words; what counts stands at the end.
            airmass, seconds, sky, noise = map(float, words[-4:])
            mjd = float(words[1])
        except (ValueError, IndexError) as error:
            raise InputError(
                f"{path}, line {number}: {line[:80]!r} is not a frame. File, MJD, "
                "band, filter, airmass, seconds, sky and noise were expected. Fetch "
                "the file again."
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
    """Returns for each field the frames it was seen in, and their conditions.

    Args:
        records: the real stamps; of all but the constant stars only times are used.
        seed: of the seeing in nights without constant stars.
    """
    stars = [record for record in records if record.label == CALIBRATORS]
    conditions: Conditions = measure_conditions(
        exposures, stars, pixel_scale=pixel_scale, seed=seed
    )
    frames: dict[str, set[int]] = {}
    for record in records:
        if record.label != CALIBRATORS:  # whose times are rounded
            found = nearest_frame(exposures, record.mjd)
            frames.setdefault(record.group, set()).update(found[found >= 0].tolist())
    return {
        field: log_of_frames(
            exposures, conditions, np.array(sorted(found)), zero_point=ZERO_POINT
        )
        for field, found in sorted(frames.items())
        if found
    }
