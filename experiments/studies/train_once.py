"""Trains the runs of a study; a second start of the study continues or reuses them."""

import contextlib
import sys
from pathlib import Path

from jaxastro.runs.spec import RunSpec
from jaxastro.runs.training_loop import train
from jaxastro.runs.training_run import is_finished


def train_once(spec: RunSpec, workdir: Path, **where: str) -> Path:
    """Trains, evaluates and reports a run unless that is done, and returns its folder.

    Messages go to standard error, because the study's output may be JSON.

    Args:
        where: data_dir and manual_dir.
    Raises:
        InputError: if the folder holds a run of another spec.
    """
    if not is_finished(workdir, spec):
        with contextlib.redirect_stdout(sys.stderr):
            train(spec, workdir, **where)
    return workdir
