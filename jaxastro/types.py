"""What flows through the project. Computes nothing and imports neither half.

Axes everywhere: b objects, t epochs, y x pixels, d features, n heads, c classes.
An array here is a NumPy array on the host half and a JAX array on the device half.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol

Array = Any


class Series(NamedTuple):
    """An image time series per object, as a model eats it."""

    image: Array  # b t y x   float32, normalised flux
    time: Array  # b t        float32, days since the first epoch
    band: Array  # b t        int32, index into the survey's bands
    epoch_mask: Array  # b t  bool, True where observed: the only word on padding

    OF_EPOCHS = ("image", "time", "band", "epoch_mask")  # fields with the axis t


class LightCurve(NamedTuple):
    """A light curve per object, of one band an epoch, as a model eats it."""

    flux: Array  # b t        float32, normalised
    flux_error: Array  # b t  float32, of flux, as normalised: one standard deviation
    time: Array  # b t        float32, days since the first epoch
    band: Array  # b t        int32, index into the survey's bands
    epoch_mask: Array  # b t  bool, True where observed: the only word on padding
    feature: Array  # b f     float32, of the catalogue, as normalised; 0 where unknown
    feature_mask: Array  # b f  bool, True where known

    OF_EPOCHS = ("flux", "flux_error", "time", "band", "epoch_mask")


class Alerts(NamedTuple):
    """The alerts of an object, from the first on, as a model eats them."""

    stamp: Array  # b t y x 3       float32, normalised; science, template, difference
    time: Array  # b t              float32, days since the first alert
    band: Array  # b t              int32, index into the survey's bands
    metadata: Array  # b t f        float32, the survey's columns, scaled; 0 if unknown
    metadata_mask: Array  # b t f   bool, True where known
    epoch_mask: Array  # b t        bool, True where there is an alert

    OF_EPOCHS = ("stamp", "time", "band", "metadata", "metadata_mask", "epoch_mask")


class Image(NamedTuple):
    """What was drawn of each object: a map of its light curve, a single cutout."""

    image: Array  # b y x d     float32
    feature: Array  # b f       float32, of the catalogue, as normalised; 0 if unknown
    feature_mask: Array  # b f  bool, True where known

    OF_EPOCHS = ()


class FoldedAndMap(NamedTuple):
    """Two drawings of one light curve: by phase, and of all pairs of its points."""

    folded: Array  # b p 1 d    float32, p phases of the period
    map: Array  # b y x d       float32
    feature: Array  # b f       float32, of the catalogue, as normalised; 0 if unknown
    feature_mask: Array  # b f  bool, True where known

    OF_EPOCHS = ()


Inputs = Series | LightCurve | Alerts | Image | FoldedAndMap


class Batch(NamedTuple):
    """Inputs with their labels; what a Method's step takes."""

    inputs: Inputs
    label: Array  # b         int32, index into the classes; 0 where unlabelled
    label_mask: Array  # b    bool, False where the object has no label
    example_mask: Array  # b  bool, False for rows that fill up the last batch


class Task(NamedTuple):
    """What is classified: a survey as the model sees it, and what was measured on it.

    Made once when the data set is opened, stored in the run folder, never changed. A
    model's `check(task)` refuses a task that it cannot be built for.
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
    """What every model returns."""

    logits: Array  # b c
    embedding: Array  # b d
    aux: dict[str, Array]  # extras that a model names, empty for most


class Model(Protocol):
    """An architecture: a Flax module that states what it requires of a task."""

    num_classes: int  # 0 builds the encoder alone, without a classifier
    inputs: ClassVar[type]  # Series, LightCurve, ...: the type that __call__ takes
    any_length: bool  # True: padded epochs cannot change the output
    starts_from: tuple[str, ...]  # other models whose parameters it can start from
    reads_catalogue: bool  # True: its input holds numbers of a catalogue

    def check(self, task: Task) -> None:
        """Raises InputError, in words, if the model cannot be built for the task."""

    def __call__(self, inputs: Inputs, *, train: bool) -> ModelOutput:
        """Returns logits and an embedding of each object."""


class TrainState(NamedTuple):
    """Arrays only: a checkpoint is exactly the state."""

    step: Array
    params: Any
    batch_stats: Any
    opt_state: Any
    target_params: Any  # the EMA network's; empty for methods without one
    target_batch_stats: Any


class Method(NamedTuple):
    """One way of training: three pure functions, and facts about them."""

    init: Callable[[Array, Inputs], TrainState]
    step: Callable[[TrainState, Batch], tuple[TrainState, dict[str, Array]]]
    predict: Callable[[TrainState, Inputs], ModelOutput]
    scores: tuple[str, ...] = ()  # validation scores that only this method offers
    best_metric: str = "macro_f1"  # validation score that normally picks the state
    has_latent_space: bool = False  # predict reconstructs its input from the embedding
    predicts_with_target: bool = False  # predict uses target_params, not params
