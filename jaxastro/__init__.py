"""Classify astronomical image time series, light curves and alert stamps with JAX.

    import jaxastro
    run = jaxastro.load("runs/hits")
    table = run.predict("new_objects.npz")

Importing this package loads neither JAX nor TFDS: sub-packages and `load` do, when they
are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxastro.runs.run import Ensemble, Run, load
    from jaxastro.runs.spec import RunSpec
    from jaxastro.runs.training_loop import train

__version__ = "0.2.0"

_LAZY = {  # name -> module that defines it
    "Ensemble": "jaxastro.runs.run",
    "Run": "jaxastro.runs.run",
    "RunSpec": "jaxastro.runs.spec",
    "load": "jaxastro.runs.run",
    "train": "jaxastro.runs.training_loop",
}
_SUBMODULES = (
    "alerts",
    "augment",
    "baselines",
    "commands",
    "data",
    "errors",
    "evaluation",
    "layers",
    "leakage",
    "losses",
    "methods",
    "models",
    "photometry",
    "reports",
    "representations",
    "runs",
    "simulation",
    "surveys",
    "training",
    "types",
    "units",
)
__all__ = ["Ensemble", "Run", "RunSpec", "__version__", "load", "train"]


def __getattr__(name: str) -> Any:
    """Imports a name on its first use."""
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    if name in _SUBMODULES:
        return importlib.import_module(f"jaxastro.{name}")
    raise AttributeError(f"module 'jaxastro' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_SUBMODULES])
