"""Refuses settings that contradict each other or the data, before anything is built."""

from collections.abc import Sequence
from typing import get_args

from jaxastro.data.hierarchy import check_hierarchy, expand_classes, nodes_of
from jaxastro.data.loader import labels_of_classes
from jaxastro.data.protocol import HELD_OUT
from jaxastro.errors import InputError
from jaxastro.evaluation.metrics import SCORES
from jaxastro.representations import representation_of
from jaxastro.runs.spec import RunSpec
from jaxastro.surveys import Survey, survey_of
from jaxastro.types import Task


def check_classes(spec: RunSpec, survey: Survey) -> None:
    """Refuses a class that is unknown or listed twice, and a hierarchy that is no tree.

    Raises:
        InputError: with the classes that the survey has.
    """
    check_hierarchy(spec.hierarchy, survey.classes)
    known = (*survey.classes, *(name for name, _ in spec.hierarchy))
    names = labels_of_classes(expand_classes(spec.classes, spec.hierarchy))
    for name in names:
        if name not in known:
            raise InputError(
                f"config.classes has {name!r}. Survey {spec.survey} has "
                f"{', '.join(survey.classes)}."
            )
        if names.count(name) > 1:
            raise InputError(
                f"config.classes {spec.classes} has {name} twice. Name each label "
                "once, alone or joined to others by +."
            )
    nodes_of(spec.classes, spec.hierarchy)


def check_best_metric(spec: RunSpec, scores_of_method: Sequence[str]) -> None:
    """Refuses a validation score that does not exist for this method.

    Args:
        scores_of_method: scores that the method adds to those of every classifier.
    """
    known = (*SCORES, *scores_of_method)
    if spec.best_metric not in known:
        raise InputError(
            f"config.best_metric is {spec.best_metric!r}. The checkpoint of method "
            f"{spec.method.name} is selected by one of {', '.join(known)}."
        )


def check_inputs(spec: RunSpec, task: Task, wanted: type) -> None:
    """Refuses a model that takes other inputs than the representation makes.

    Args:
        wanted: the input type of the model, or a union of several.
    """
    kinds = get_args(wanted) or (wanted,)
    if task.inputs not in kinds:
        names = " or ".join(kind.__name__ for kind in kinds)
        raise InputError(
            f"Model {spec.model.name} takes {names} input, the representation "
            f"{task.representation!r} makes {task.inputs.__name__} input. Choose "
            "another of one or the other."
        )


def check_augmentation(spec: RunSpec, *, reads_catalogue: bool) -> None:
    """Refuses augmentation that the representation or the model makes meaningless."""
    normalisation = spec.representation.normalisation
    if reads_catalogue and spec.augment.truncate:
        raise InputError(
            "config.model.args.features=True with config.augment.truncate: a catalogue "
            "was measured on whole light curves, so none ends early. Use one of them."
        )
    if spec.augment.jitter and normalisation == "log":
        raise InputError(
            "config.augment.jitter with normalisation 'log', whose errors are on a "
            "scale of their own. Use another of the two."
        )
    causal = representation_of(spec.representation.name).CAUSAL
    if spec.augment.truncate and normalisation not in causal:
        raise InputError(
            f"config.augment.truncate={spec.augment.truncate} ends series early, but "
            f"normalisation {normalisation!r} uses all epochs. It is possible with "
            f"{', '.join(causal) or 'none of this kind'}."
        )


def check_same_inputs(
    spec: RunSpec, task_survey: Survey, other: RunSpec, other_survey: Survey
) -> None:
    """Refuses to start from a run whose parameters expect other inputs.

    Raises:
        InputError: if normalisation, selection, bands, columns or folds differ.
    """
    pairs = {
        "normalisation": (
            other.representation.normalisation,
            spec.representation.normalisation,
        ),
        "bands": (other.selection.bands, spec.selection.bands),
        "columns": (other.selection.columns, spec.selection.columns),
        "crop": (other.selection.crop, spec.selection.crop),
    }
    for key, (there, here) in pairs.items():
        if there != here:
            raise InputError(
                f"config.init_from={spec.init_from} was trained with {key} "
                f"{there!r}, this run has {here!r}. Use the same."
            )
    for key, names_of in (
        ("bands", lambda survey: survey.bands),
        ("columns", lambda survey: [name for name, _ in survey.columns]),
    ):
        there, here = (
            ", ".join(names_of(one)) or "none" for one in (other_survey, task_survey)
        )
        if there != here:
            raise InputError(
                f"config.init_from={spec.init_from} was trained on a survey with "
                f"{key} {there}; {spec.survey} has {here}. Start from a run of a "
                "survey with the same."
            )
    check_same_folds(spec, other)


def check_same_folds(spec: RunSpec, other: RunSpec) -> None:
    """Refuses to start from a run that may have trained on objects tested here.

    Raises:
        InputError: if it divided the same survey in another way.
    """
    if survey_of(spec.survey).name != survey_of(other.survey).name:
        return
    if spec.folds.held_out == "nothing":  # nobody is tested
        return
    less = HELD_OUT.index(other.folds.held_out) > HELD_OUT.index(spec.folds.held_out)
    keys = ("protocol", "num_folds", "test_fold", "split_seed")
    for key in (*keys, "held_out") if less else keys:
        there, here = getattr(other.folds, key), getattr(spec.folds, key)
        if there != here:
            raise InputError(
                f"config.init_from={spec.init_from} was trained with config.folds."
                f"{key}={there}, this run has {here}: it has seen objects that are "
                "tested here. Start from a run of the same folds."
            )
