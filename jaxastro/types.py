"""Types that all parts share. This module computes nothing and imports no other part.

Axes everywhere: b objects, t epochs, y x pixels, d features, n heads, c classes.
Arrays are NumPy arrays on the host half and JAX arrays on the device half.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol

Array = Any


class Series(NamedTuple):
    """Image time series, the input of image models."""

    image: Array  # b t y x   float32, normalised flux
    time: Array  # b t        float32, days since the first epoch
    band: Array  # b t        int32, index into the survey's bands
    psf_fwhm: Array  # b t    float32, pixels; 0 where unknown
    noise: Array  # b t       float32, deviation of an empty pixel; 0 where unknown
    epoch_mask: Array  # b t  bool, True where observed, False for padding

    # fields with the axis t
    OF_EPOCHS = ("image", "time", "band", "psf_fwhm", "noise", "epoch_mask")


class LightCurve(NamedTuple):
    """Light curves with one band per epoch, the input of light-curve models."""

    flux: Array  # b t        float32, normalised
    flux_error: Array  # b t  float32, one standard deviation of the normalised flux
    time: Array  # b t        float32, days since the first epoch
    band: Array  # b t        int32, index into the survey's bands
    epoch_mask: Array  # b t  bool, True where observed, False for padding
    feature: Array  # b f     float32, normalised catalogue features; 0 where unknown
    feature_mask: Array  # b f  bool, True where known

    OF_EPOCHS = ("flux", "flux_error", "time", "band", "epoch_mask")


class Alerts(NamedTuple):
    """Alert sequences from the first alert on, the input of stamp models."""

    stamp: Array  # b t y x 3       float32, normalised; science, template, difference
    time: Array  # b t              float32, days since the first alert
    band: Array  # b t              int32, index into the survey's bands
    metadata: Array  # b t f        float32, scaled columns of the packet; 0 if unknown
    metadata_mask: Array  # b t f   bool, True where known
    epoch_mask: Array  # b t        bool, True where there is an alert

    OF_EPOCHS = ("stamp", "time", "band", "metadata", "metadata_mask", "epoch_mask")


class Image(NamedTuple):
    """One image per object: a map of its light curve or a single cutout."""

    image: Array  # b y x d     float32
    feature: Array  # b f       float32, normalised catalogue features; 0 if unknown
    feature_mask: Array  # b f  bool, True where known

    OF_EPOCHS = ()


class FoldedAndMap(NamedTuple):
    """Two images of one light curve: folded by phase, and a dm-dt map of its pairs."""

    folded: Array  # b p 1 d    float32, p phases of the period
    map: Array  # b y x d       float32
    feature: Array  # b f       float32, normalised catalogue features; 0 if unknown
    feature_mask: Array  # b f  bool, True where known

    OF_EPOCHS = ()


Inputs = Series | LightCurve | Alerts | Image | FoldedAndMap
INPUTS = (Series, LightCurve, Alerts, Image, FoldedAndMap)


class Batch(NamedTuple):
    """Inputs with labels, the argument of `Method.step`."""

    inputs: Inputs
    label: Array  # b         int32, index into the classes; 0 where unlabelled
    label_mask: Array  # b    bool, False where the object has no label
    example_mask: Array  # b  bool, False for rows that pad the last batch


class Task(NamedTuple):
    """A classification task: survey, classes, inputs and measured statistics.

    It is created once when the data set is opened, stored in the run folder and never
    changed. `Model.check(task)` refuses a task for which the model cannot be built.
    """

    survey: Any  # surveys.Survey with the bands, columns and image size that are used
    whole_survey: Any  # surveys.Survey as the data set has it, before that selection
    classes: tuple[str, ...]  # in the order of the logits; rare ones are pooled
    hierarchy: tuple[tuple[str, tuple[str, ...]], ...]  # (name, members) rows
    inputs: type  # Series, LightCurve, ...: what the representation makes
    representation: str  # a key of representations.REPRESENTATIONS
    normalisation: str  # one of the representation's
    statistics: dict  # of the normalisation, measured on training objects


class ModelOutput(NamedTuple):
    """Output of every model."""

    logits: Array  # b c
    embedding: Array  # b d
    aux: dict[str, Array]  # further outputs by name, empty for most models


class Model(Protocol):
    """An architecture: a Flax module that states what it requires of a task."""

    num_classes: int  # 0: encoder without classifier
    inputs: ClassVar[type]  # Series, LightCurve, ...: the type that __call__ takes
    any_length: bool  # True: padded epochs cannot change the output
    starts_from: tuple[str, ...]  # other models whose parameters it can start from
    reads_catalogue: bool  # True: its input holds numbers of a catalogue
    set_by_task: tuple[str, ...]  # arguments that for_task sets, not a config

    def check(self, task: Task) -> None:
        """Raises InputError, in words, if the model cannot be built for the task."""

    def for_task(self, task: Task) -> "Model":
        """Returns the model with the facts of the task that it uses."""

    def __call__(self, inputs: Inputs, *, train: bool) -> ModelOutput:
        """Returns logits and an embedding of each object."""


class TrainState(NamedTuple):
    """State of training, arrays only: the content of a checkpoint."""

    step: Array
    params: Any
    batch_stats: Any
    opt_state: Any
    target_params: Any  # of the EMA network; empty for methods without one
    target_batch_stats: Any


class Method(NamedTuple):
    """One way of training: three pure functions, and facts about them."""

    init: Callable[[Array, Inputs], TrainState]
    step: Callable[[TrainState, Batch], tuple[TrainState, dict[str, Array]]]
    predict: Callable[[TrainState, Inputs], ModelOutput]
    inputs: tuple[type, ...] = INPUTS  # types of input that it can train on
    scores: tuple[str, ...] = ()  # validation scores that only this method offers
    best_metric: str = "macro_f1"  # validation score that normally picks the state
    has_latent_space: bool = False  # predict reconstructs its input from the embedding
    predicts_with_target: bool = False  # predict uses target_params, not params
