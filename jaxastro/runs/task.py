"""What a run classifies: the survey as the model sees it, classes and statistics.

A Task is made once, when the data set is opened, and stored as task.json. From then on
nothing is measured again: training, evaluation and new objects use the same numbers.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from jaxastro.atomic_write import atomic_write
from jaxastro.data.bands import record_in_bands, survey_in_bands
from jaxastro.data.columns import record_with_columns, survey_with_columns
from jaxastro.data.crop import record_cropped, survey_cropped
from jaxastro.data.record import Record
from jaxastro.data.survey_json import EXAMPLE, survey_from_json, survey_to_json
from jaxastro.errors import InputError, MissingFileError
from jaxastro.representations import representation_of
from jaxastro.runs.spec import RunSpec
from jaxastro.surveys import Survey
from jaxastro.types import Inputs, Task

TASK_FILE = "task.json"


def make_task(
    spec: RunSpec, survey: Survey, classes: tuple[str, ...], statistics: dict
) -> Task:
    """Returns the task of a run.

    Args:
        survey: of the data set, before the spec's selection.
        classes: those of the spec, with rare ones pooled.
        statistics: of the normalisation, as `fit_statistics` returned them.
    """
    return Task(
        survey=select_survey(spec, survey),
        whole_survey=survey,
        classes=classes,
        hierarchy=spec.hierarchy,
        inputs=representation_of(spec.representation.name).Example,
        representation=spec.representation.name,
        normalisation=spec.representation.normalisation,
        statistics=statistics,
    )


def select_survey(spec: RunSpec, survey: Survey) -> Survey:
    """Returns the survey with the bands, columns and image size that a run uses.

    Raises:
        InputError: if the representation does not fit the survey's kind of records, or
            the selection names what the survey does not have.
    """
    kind = representation_of(spec.representation.name).KIND
    if survey.kind != kind:
        raise InputError(
            f"Survey {spec.survey} holds records of kind {survey.kind!r}, the "
            f"representation {spec.representation.name!r} is of kind {kind!r}. "
            "Choose a survey or a representation that fits."
        )
    if survey.kind in ("series", "alerts") and not survey.image_size:
        raise InputError(
            f"Survey {spec.survey} has images of several sizes, or was not opened "
            "yet. A model needs one size. Cut all images to the same number of pixels."
        )
    selection = spec.selection
    if selection.bands:
        survey = survey_in_bands(survey, selection.bands)
    if selection.columns:
        survey = survey_with_columns(survey, selection.columns)
    if selection.crop:
        survey = survey_cropped(survey, selection.crop)
    return survey


def record_selector(spec: RunSpec, survey: Survey) -> Callable[[Record], Record]:
    """Returns a function that keeps what a run uses of a record.

    That is the epochs in its bands, its columns and the central part of its images.

    Args:
        survey: of the data set, before the selection.
    """
    selection, parts = spec.selection, []
    if selection.bands:
        parts.append(partial(record_in_bands, bands=selection.bands, survey=survey))
    if selection.columns:
        parts.append(
            partial(record_with_columns, names=selection.columns, survey=survey)
        )
    if selection.crop:
        parts.append(partial(record_cropped, side=selection.crop, kind=survey.kind))
    return partial(_apply_all, tuple(parts))


def example_maker(
    spec: RunSpec,
    task: Task,
    *,
    max_epochs: int,
    cut: Callable[[Record], Record] | None = None,
) -> Callable[[Record], Inputs]:
    """Returns a function from a record to the input of the model, [..] of one object.

    Args:
        cut: what else to leave out of the record, after the selection.
    """
    make_example = partial(
        representation_of(task.representation).make_example,
        max_epochs=max_epochs,
        normalisation=task.normalisation,
        statistics=task.statistics,
    )
    select = record_selector(spec, task.whole_survey)
    parts = (select, cut, make_example) if cut else (select, make_example)
    return partial(_apply_all, parts)


def blank_inputs(spec: RunSpec, task: Task, *, num_objects: int = 1) -> Inputs:
    """Returns inputs of the right shape that hold zeros, to initialise a state with."""
    return representation_of(task.representation).blank(
        task.survey,
        max_epochs=spec.representation.max_epochs,
        num_objects=num_objects,
    )


def write_task(workdir: Path, task: Task) -> None:
    """Writes the task into a run folder, whole or not at all."""
    plain = {
        "survey": json.loads(survey_to_json(task.survey)),
        "whole_survey": json.loads(survey_to_json(task.whole_survey)),
        "classes": task.classes,
        "hierarchy": task.hierarchy,
        "representation": task.representation,
        "normalisation": task.normalisation,
        "statistics": task.statistics,
    }
    with atomic_write(Path(workdir) / TASK_FILE) as file:
        file.write(json.dumps(plain, indent=1))


def read_task(workdir: Path) -> Task:
    """Returns the task of a run folder.

    Raises:
        MissingFileError: if training did not get as far as to write it.
        InputError: if the file cannot be read.
    """
    path = Path(workdir) / TASK_FILE
    if not path.exists():
        raise MissingFileError(
            f"No {path}. {workdir} is not the folder of a run that was trained. Train "
            f"one with `python -m experiments.train --config=... --workdir={workdir}`."
        )
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        surveys = {
            name: survey_from_json(json.dumps(plain[name]), otherwise=EXAMPLE)
            for name in ("survey", "whole_survey")
        }
        representation = plain["representation"]
        return Task(
            **surveys,
            classes=tuple(plain["classes"]),
            hierarchy=tuple((name, tuple(of)) for name, of in plain["hierarchy"]),
            inputs=representation_of(representation).Example,
            representation=representation,
            normalisation=plain["normalisation"],
            statistics=plain["statistics"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not the task of a run ({error!r}). Train again with the same "
            "command: it continues from its last checkpoint and writes the file anew."
        ) from error


def _apply_all(functions: tuple[Callable, ...], value):
    """Not a closure: reading processes receive a pickled copy."""
    for function in functions:
        value = function(value)
    return value
