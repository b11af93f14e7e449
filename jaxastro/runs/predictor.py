"""Applies a model's state to inputs: the one loop of all predicting."""

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from jaxastro.data.length_buckets import bucket_lengths, group_by_length
from jaxastro.data.record import Record
from jaxastro.runs.model_building import (
    abstract_state,
    build_method,
    build_model,
    input_shapes,
    restore_best,
)
from jaxastro.runs.spec import RunSpec
from jaxastro.runs.task import blank_inputs, example_maker
from jaxastro.training import sharding
from jaxastro.types import Inputs, Method, ModelOutput, Task, TrainState

# Objects per device and batch. On a CPU few are as fast as many, for their arrays stay
# in its cache, and the first results come sooner.
ON_CPU, ON_ACCELERATOR = 8, 64


class Output(NamedTuple):
    """Predictions of some objects, in their order."""

    probability: np.ndarray  # o c
    embedding: np.ndarray  # o d
    spread: np.ndarray  # o c, over sampled networks; o 0 of models that sample none
    negative_elbo: np.ndarray  # o 1, nats a pixel, of auto-encoders; others o 0


class Predictor:
    """Applies states of one model to inputs, with one compiled program per length.

    A program is compiled ahead of its first use, in a thread: meanwhile a state is
    restored and objects are read.

    Attributes:
        spec: settings of the run.
        task: what the run classifies.
        mesh: where it computes.
        batch_size: objects of a batch, over all devices.
        lengths: epochs that batches are padded to, ascending; a single length if the
            model's output depends on padding.
    """

    def __init__(
        self, spec: RunSpec, task: Task, method: Method, abstract: TrainState, mesh
    ):
        per_device = ON_CPU if jax.default_backend() == "cpu" else ON_ACCELERATOR
        self.spec, self.task, self.mesh = spec, task, mesh
        self.batch_size = -(-per_device // mesh.size) * mesh.size
        longest = spec.representation.max_epochs
        any_length = build_model(spec, task).any_length
        self.lengths = bucket_lengths(longest) if any_length else (longest,)
        self._abstract, self._blank = abstract, blank_inputs(spec, task)
        self._predict = jax.jit(
            method.predict,
            in_shardings=(
                sharding.shardings_of(abstract),
                sharding.split_by_object(mesh),
            ),
            out_shardings=sharding.replicated(mesh),
        )
        self._compiler = ThreadPoolExecutor(1)
        self._programs: dict[int, Future] = {}

    def of_task(self, spec: RunSpec, task: Task) -> "Predictor":
        """Returns a predictor for another fold or seed that shares the programs.

        Args:
            spec: equal to this one's in all that shapes the model and its inputs.
            task: with statistics of its own.
        """
        other = copy.copy(self)
        other.spec, other.task = spec, task
        return other

    def prepare(self, length: int) -> Future:
        """Returns the program for a length, which may still be compiling."""
        if length not in self._programs:
            self._programs[length] = self._compiler.submit(self._compile, length)
        return self._programs[length]

    def __call__(self, state: TrainState, inputs: Inputs) -> ModelOutput:
        """Starts to compute the output of this process's rows of a batch.

        Every process can read the whole output.
        """
        has_epochs = bool(inputs.OF_EPOCHS)
        length = inputs.epoch_mask.shape[1] if has_epochs else self.lengths[-1]
        program = self.prepare(length).result()
        return program(state, sharding.put_batch(inputs, self.mesh))

    def example_maker(
        self,
        *,
        max_epochs: int | None = None,
        cut: Callable[[Record], Record] | None = None,
    ) -> Callable[[Record], Inputs]:
        """Returns a function from a record to the input of the model.

        Args:
            max_epochs: epochs that the input is padded to; by default the longest.
            cut: what to leave out of each record.
        """
        if max_epochs is None:
            max_epochs = self.spec.representation.max_epochs
        return example_maker(self.spec, self.task, max_epochs=max_epochs, cut=cut)

    def _compile(self, length: int):
        inputs = input_shapes(
            self._blank,
            num_objects=self.batch_size,
            epochs=length,
            sharding=sharding.split_by_object(self.mesh),
        )
        return self._predict.lower(self._abstract, inputs).compile()


def load_predictor(
    workdir: Path, spec: RunSpec, task: Task, mesh
) -> tuple[Predictor, TrainState]:
    """Returns the predictor of a run and its selected state.

    The program for the longest series is compiled while the state is restored.
    """
    method = build_method(spec, task, mesh)
    abstract = abstract_state(method, spec, task, mesh)
    predictor = Predictor(spec, task, method, abstract, mesh)
    predictor.prepare(predictor.lengths[-1])
    return predictor, restore_best(workdir, spec, abstract)


def predict_examples(
    predictor: Predictor, state: TrainState, examples: Sequence[Inputs]
) -> Output:
    """Returns the predictions of examples, each of one object and padded alike."""
    longest = predictor.lengths[-1]  # as an image has, of however many epochs
    num_epochs = np.array(
        [one.epoch_mask.sum() if one.OF_EPOCHS else longest for one in examples]
    )
    size = predictor.batch_size
    groups = group_by_length(num_epochs, predictor.lengths, size)
    inputs = (
        stack_examples(
            [examples[i] for i in places[start : start + size]], length, size
        )
        for length, places in groups
        for start in range(0, len(places), size)
    )
    places = np.concatenate([places for _, places in groups])
    return predict_batches(predictor, state, inputs, places)


def stack_examples(examples: list[Inputs], length: int, batch_size: int) -> Inputs:
    """Returns a batch of the first epochs of some objects, filled up with the last."""
    filled = examples + examples[-1:] * (batch_size - len(examples))
    kind = type(filled[0])
    batch = kind(*map(np.stack, zip(*filled, strict=True)))
    epochs = {name: getattr(batch, name)[:, :length] for name in kind.OF_EPOCHS}
    return batch._replace(**epochs)


def predict_batches(
    predictor: Predictor,
    state: TrainState,
    batches: Iterable[Inputs],
    places: np.ndarray,
) -> Output:
    """Returns the predictions of batches of which object i belongs at places[i].

    Rows beyond those, which fill up the last batch, are dropped. Of several processes
    each gives its rows, and receives the output of all.
    """
    parts = list(fetch_one_ahead(predictor(state, batch) for batch in batches))
    order = np.argsort(places)
    columns = zip(*((p.logits, p.embedding, *_extras(p)) for p in parts), strict=True)
    logits, *others = (np.concatenate(column)[order] for column in columns)
    return Output(softmax(logits), *others)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Returns probabilities [o c] in float64, so that rows sum to one."""
    # Those of a model that diverged are NaN, without a warning for each.
    with np.errstate(invalid="ignore"):
        odds = np.exp(np.float64(logits) - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _extras(output: ModelOutput) -> tuple[np.ndarray, np.ndarray]:
    aux, none = output.aux, output.logits[:, :0]
    negative_elbo = aux["negative_elbo"][:, None] if "negative_elbo" in aux else none
    return aux.get("spread", none), negative_elbo


def fetch_one_ahead(outputs: Iterator) -> Iterator:
    """Fetches outputs, each after the next was started, so that devices never wait."""
    outputs = itertools.chain(outputs, [None])
    for before, _ in itertools.pairwise(outputs):
        yield jax.device_get(before)
