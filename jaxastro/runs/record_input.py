"""Readings of new objects: from files, records, or plain arrays."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from data_builders import alert_reader_of, reader_of
from jaxastro.data.alert import make_alert_record
from jaxastro.data.cutout import make_cutout_record
from jaxastro.data.light_curve import make_light_curve_record
from jaxastro.data.record import Reading, Record
from jaxastro.data.series import make_series_record
from jaxastro.errors import InputError, RecordError
from jaxastro.representations import representation_of
from jaxastro.runs.spec import RunSpec
from jaxastro.runs.task import record_selector
from jaxastro.surveys import SURVEYS, Survey
from jaxastro.types import Task

MAKERS: dict[
    str, Callable
] = {  # kind of survey -> a function from arrays to a checked record
    "series": make_series_record,
    "light_curve": make_light_curve_record,
    "alerts": make_alert_record,
    "cutout": make_cutout_record,
}
Objects = str | Path | Mapping | Iterable[Record | Mapping]


def readings_of(
    objects: Objects, spec: RunSpec, task: Task, *, reads_catalogue: bool
) -> Iterator[Reading]:
    """Yields a Reading for each object that a run is to classify.

    Args:
        objects: path of raw data as the survey publishes them; or records; or mappings
            of arrays, such as {"flux": [t y x], "mjd": [t], "band": [t]}, which are the
            arguments of the record's constructor (jaxastro/data/).
    Raises:
        InputError: if it is none of these.
    """
    survey = task.whole_survey
    if isinstance(objects, str | Path):
        found = _read(Path(objects), spec, survey)
    elif isinstance(objects, Mapping):
        found = _make([objects], survey)
    elif isinstance(objects, Iterable):
        found = _make(objects, survey)
    else:
        raise InputError(
            f"The objects were given as {type(objects).__name__}. Give records, "
            "mappings of arrays, or the path of a raw file."
        )
    return _check_all(found, spec, survey, reads_catalogue=reads_catalogue)


def alert_readings_of(path: str | Path, spec: RunSpec) -> Iterator[Reading]:
    """Yields a Reading for each alert by itself; "-" is standard input.

    Raises:
        InputError: if the survey has no alerts that can be read one by one.
    """
    read_each = alert_reader_of(spec.survey.partition("/")[0])
    stream = sys.stdin.buffer if str(path) == "-" else None
    return read_each(Path(path), stream)


def _read(path: Path, spec: RunSpec, survey: Survey) -> Iterator[Reading]:
    name = spec.survey.partition("/")[0]
    read = reader_of(name)
    # A reader of many surveys needs the facts of this one.
    return read(path, survey) if survey != SURVEYS[name] else read(path)


def _make(objects: Iterable, survey: Survey) -> Iterator[Reading]:
    make = MAKERS[survey.kind]
    for number, one in enumerate(objects):
        if hasattr(one, "_fields") and hasattr(one, "object_id"):
            yield Reading(one.object_id, one, ())
        elif isinstance(one, Mapping):
            yield _record_of_arrays(
                make, {"object_id": f"object {number}"} | dict(one), survey
            )
        else:
            raise InputError(
                f"Object {number} is a {type(one).__name__}. Give records, mappings of "
                "arrays, or the path of a raw file."
            )


def _record_of_arrays(make: Callable, arrays: dict, survey: Survey) -> Reading:
    object_id = str(arrays.pop("object_id"))
    try:
        record, notes = make(object_id, survey, **arrays)
    except RecordError as error:
        return Reading(object_id, None, (str(error),))
    except TypeError as error:
        raise InputError(
            f"Object {object_id}: its arrays cannot be used ({error}). Give the "
            f"arguments of {make.__name__}."
        ) from error
    return Reading(object_id, record, notes)


def _check_all(
    readings: Iterable[Reading], spec: RunSpec, survey: Survey, *, reads_catalogue: bool
) -> Iterator[Reading]:
    """Sets objects aside that have no epoch in the bands of the run."""
    curves = representation_of(spec.representation.name).CATALOGUED
    may_be_empty = reads_catalogue or spec.representation.normalisation in curves
    select = record_selector(spec, survey)
    for reading in readings:
        try:
            if reading.record is not None:
                record = select(reading.record)
                if record.OF_EPOCHS and not len(record.mjd) and not may_be_empty:
                    raise RecordError(
                        f"Object {record.object_id}: no epoch, and the run's model "
                        "reads no catalogue. Remove the object, or train with "
                        "model.args.features=True."
                    )
        except RecordError as error:
            reading = reading._replace(record=None, notes=(str(error),))
        yield reading
