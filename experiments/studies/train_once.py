"""Trains the runs of a study; a second start of the study continues or reuses them."""

from pathlib import Path

from jaxastro.runs.spec import RunSpec
from jaxastro.runs.training_loop import train
from jaxastro.runs.training_run import is_finished


def train_once(spec: RunSpec, workdir: Path, **where: str) -> Path:
    """Trains, evaluates and reports a run unless that is done, and returns its folder.

    Args:
        where: data_dir and manual_dir.
    Raises:
        InputError: if the folder holds a run of another spec.
    """
    if not is_finished(workdir, spec):
        train(spec, workdir, **where)
    return workdir
