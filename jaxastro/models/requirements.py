"""What a model requires of a task: facts that every model states, shared checks."""

from typing import ClassVar

import numpy as np

from jaxastro.errors import InputError
from jaxastro.types import Inputs, Task

# Smallest and largest value of the arguments of that name, of any model; of a tuple
# each item's.
LIMITS = {
    "band_rows": (2, 10_000),
    "bands": (1, 10_000),
    "core": (1, 10_000),
    "dropout": (0, 0.99),
    "hidden": (1, 1_000_000),
    "num_blocks": (0, 1000),
    "num_draws": (1, 10_000),
    "num_heads": (1, 10_000),
    "num_layers": (1, 1000),
    "num_visits": (1, 100_000),
    "width": (1, 1_000_000),
    "widths": (1, 1_000_000),
    "cnn_widths": (1, 1_000_000),
}


class Requirements:
    """Default facts of `jaxastro.types.Model`. A model states those that differ."""

    inputs: ClassVar[type[Inputs]]  # each model states its own
    any_length = False
    starts_from = ()
    reads_catalogue = False
    set_by_task = ()

    def check(self, task: Task) -> None:
        """Refuses arguments outside LIMITS, and a task with inputs of another type.

        Raises:
            InputError: if the model cannot be built for the task.
        """
        check_limits(self)
        if task.inputs is not self.inputs:
            raise InputError(
                f"Model {type(self).__name__} expects {self.inputs.__name__} input, "
                f"the representation {task.representation!r} makes "
                f"{task.inputs.__name__}. Choose another of one or the other."
            )

    def for_task(self, task: Task) -> "Requirements":
        """Returns the model with the facts of the task that it uses, here none."""
        del task
        return self


class OfVisits(Requirements):
    """Requirements of models that know bands by their wavelengths alone."""

    set_by_task = ("wavelengths",)

    def check(self, task: Task) -> None:
        super().check(task)
        check_change(task, self.change)

    def for_task(self, task: Task) -> "Requirements":
        """Returns the model with the wavelengths of the survey's bands."""
        return self.clone(wavelengths=wavelengths_of(task))


def wavelengths_of(task: Task) -> tuple[float, ...]:
    """Returns the wavelengths of the bands, Angstrom.

    Bands of unknown wavelength are spread from 4000 to 9000 in the survey's order.
    """
    known = task.survey.wavelength
    if len(known) == len(task.survey.bands) and np.isfinite(known).all():
        return tuple(known)
    return tuple(np.linspace(4000, 9000, len(task.survey.bands)))


def check_limits(model) -> None:
    """Refuses arguments of a model that are outside LIMITS."""
    for name, (lowest, highest) in LIMITS.items():
        value = getattr(model, name, lowest)
        for item in value if isinstance(value, tuple) else (value,):
            if not lowest <= item <= highest:  # NaN is in no range
                raise InputError(
                    f"config.model.args.{name} is {value}. Expected "
                    f"{lowest} to {highest}."
                )


def check_columns(task: Task, features: bool) -> None:
    """Refuses catalogue features for a survey without catalogue columns."""
    if features and not task.survey.columns:
        raise InputError(
            f"config.model.args.features=True, but survey {task.survey.name} has no "
            "catalogue columns. Set it to False."
        )


def check_band_rows(task: Task, band_rows: int) -> None:
    """Refuses a band table that is too small for the survey; row 0 is for padding."""
    bands = task.survey.bands
    if len(bands) >= band_rows:
        raise InputError(
            f"Survey {task.survey.name} has {len(bands)} bands ({', '.join(bands)}), "
            f"the model's band table has {band_rows} rows, one of them for padding. "
            f"Set config.model.args.band_rows={len(bands) + 1} or more."
        )


def check_merged_bands(task: Task, num_bands: int) -> None:
    """Refuses merged epochs with another number of bands than the survey has."""
    bands = task.survey.bands
    if num_bands != len(bands):
        raise InputError(
            f"Survey {task.survey.name} is used in {len(bands)} bands "
            f"({', '.join(bands)}), the model's merged epochs have {num_bands}. Set "
            f"config.model.args.bands={len(bands)}."
        )


def check_change(task: Task, change: str) -> None:
    """Refuses change="asinh" for images that are not normalised by asinh."""
    if change == "asinh" != task.normalisation:
        raise InputError(
            "config.model.args.change='asinh' takes images to be asinh of the flux, "
            f"but config.representation.normalisation is {task.normalisation!r}. Set "
            "it to 'asinh', or the change to 'linear'."
        )
