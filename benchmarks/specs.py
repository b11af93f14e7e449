"""Makes the spec and the task of a config, as benchmarks of models need them."""

import runpy

from jaxastro.runs.spec import RunSpec
from jaxastro.runs.task import make_task
from jaxastro.surveys import survey_of
from jaxastro.types import Task


def spec_of_config(name: str) -> RunSpec:
    """Returns the spec of a config, such as configs/convention.py:laptop."""
    path, _, preset = name.partition(":")
    return RunSpec.from_dict(runpy.run_path(path)["get_config"](preset).to_dict())


def task_of(spec: RunSpec) -> Task:
    """Returns the task of a spec without statistics, for inputs that are noise.

    No data set is opened, unless only that knows the survey's classes or bands.
    """
    return make_task(spec, survey_of(spec.survey), spec.classes, statistics={})
