"""One run folder as one object: its spec, task, training, predictions and scores.

spec            settings: typed, frozen, stored as JSON
task            survey as the model sees it, classes, statistics
dataset         records and folds; input_pipeline makes batches of them
model_building  model, method and state of a spec
training_loop   `train` and `train_many`: the one loop; training_run is one run in it
predictor       applies a state to inputs
evaluation      predictions of the test fold; reporting writes the page
run             `load`: a trained run, or an ensemble, for new objects
feature_run     forests and boosting, stored like the runs of networks
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxastro.runs.evaluation import evaluate
    from jaxastro.runs.feature_run import train_on_features
    from jaxastro.runs.prediction_table import PredictionTable
    from jaxastro.runs.reporting import write_report
    from jaxastro.runs.run import Ensemble, Run, load
    from jaxastro.runs.spec import RunSpec
    from jaxastro.runs.training_loop import train, train_many

_LAZY = {  # name -> module that defines it
    "Ensemble": "run",
    "PredictionTable": "prediction_table",
    "Run": "run",
    "RunSpec": "spec",
    "evaluate": "evaluation",
    "load": "run",
    "train": "training_loop",
    "train_many": "training_loop",
    "train_on_features": "feature_run",
    "write_report": "reporting",
}
__all__ = [
    "Ensemble",
    "PredictionTable",
    "Run",
    "RunSpec",
    "evaluate",
    "load",
    "train",
    "train_many",
    "train_on_features",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Imports a name on its first use."""
    if name in _LAZY:
        return getattr(importlib.import_module(f"jaxastro.runs.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'jaxastro.runs' has no attribute {name!r}")
