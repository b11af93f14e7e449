"""From the state of a run to what it says of series: the one loop of all predicting."""

from jaxastro.errors import MissingFileError
import itertools
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from jaxastro.runs import assemble
from jaxastro.data.length_buckets import group_by_length
from jaxastro.data.length_buckets import bucket_lengths
from jaxastro.evaluation.metrics import scores
from jaxastro.training import sharding
from jaxastro.training.checkpoint import Checkpoints
from jaxastro.types import Inputs, Method, ModelOutput, TrainState

# Objects at once. A processor is as fast with few, whose arrays stay in its cache,
# and the first of them come sooner.
ON_PROCESSOR, ON_ACCELERATOR = 8, 64


class Output(NamedTuple):
    """What a model said of some objects, in their order."""

    probability: np.ndarray  # o c
    embedding: np.ndarray  # o d
    spread: np.ndarray  # o c, of a model that draws networks; of others o 0
    surprise: np.ndarray  # o 1, of one that draws its input, nats a pixel; others o 0


class Predictor:
    """Says what a state makes of series, by one program for each length of them.

    A program is compiled ahead of its first use, in a thread: meanwhile a state is
    restored and objects are read.

    Attributes:
        mesh: where it runs.
        batch_size: objects of a batch, over all devices.
        lengths: epochs that batches are padded to, ascending; one length alone if
            the model would see padding.
    """

    def __init__(self, config, method: Method, abstract: TrainState, mesh):
        each = ON_ACCELERATOR
        if jax.default_backend() == "cpu":
            each = ON_PROCESSOR
        self.mesh, self.batch_size = mesh, -(-each // mesh.size) * mesh.size
        longest = config.representation.max_epochs
        any_length = getattr(assemble.model_of_config(config), "any_length", False)
        self.lengths = bucket_lengths(longest) if any_length else (longest,)
        self._abstract, self._blank = abstract, assemble.blank_inputs(config)
        self._predict = jax.jit(
            method.predict,
            in_shardings=(sharding.places(abstract), sharding.over_data(mesh)),
            out_shardings=sharding.everywhere(mesh),
        )
        self._compiler = ThreadPoolExecutor(1)
        self._programs: dict[int, Future] = {}

    def prepare(self, length: int) -> Future:
        """Returns the program for a length, which may still be compiling."""
        if length not in self._programs:
            self._programs[length] = self._compiler.submit(self._compile, length)
        return self._programs[length]

    def __call__(self, state: TrainState, inputs: Inputs) -> ModelOutput:
        """Returns what the state makes of this process's rows of a batch; starts it.

        Every process can read all of it.
        """
        has_epochs = bool(inputs.OF_EPOCHS)
        length = inputs.epoch_mask.shape[1] if has_epochs else self.lengths[-1]
        program = self.prepare(length).result()
        return program(state, sharding.put_batch(inputs, self.mesh))

    def _compile(self, length: int):
        inputs = assemble.input_shapes(
            self._blank,
            num_objects=self.batch_size,
            epochs=length,
            sharding=sharding.over_data(self.mesh),
        )
        return self._predict.lower(self._abstract, inputs).compile()


# -- a run's best state ----------------------------------------------------------------


def mesh_for(config):
    """Returns the mesh of a run, as far as the devices there are allow."""
    return sharding.make_mesh(math.gcd(config.mesh.fsdp, jax.device_count()))


def load_predictor(workdir: Path, config, mesh) -> tuple[Predictor, TrainState]:
    """Returns the best state of a run, and what predicts with it.

    The program for the longest series is compiled while the state is restored.
    """
    method = assemble.method_of_config(config, mesh)
    abstract = abstract_state(method, config, mesh)
    predictor = Predictor(config, method, abstract, mesh)
    predictor.prepare(predictor.lengths[-1])
    return predictor, restore_best(workdir, config, abstract)


def abstract_state(method: Method, config, mesh) -> TrainState:
    """Returns shapes and places of a config's state, without one number."""
    key, blank = jax.random.key(config.seed), assemble.blank_inputs(config)
    return sharding.abstract_state(method.init, mesh, key, blank)


def restore_best(workdir: Path, config, abstract: TrainState) -> TrainState:
    """Returns the best state of a run, laid out as `abstract` says."""
    if not (workdir / "checkpoints").is_dir():
        raise MissingFileError(
            f"No {workdir / 'checkpoints'}. Train the run with python -m "
            f"experiments.train --workdir={workdir}."
        )
    checkpoints = Checkpoints(workdir / "checkpoints", metric=config.best_metric)
    for sentence in checkpoints.damaged:
        print(sentence, file=sys.stderr)
    step = checkpoints.best_step()
    if step is None:
        raise MissingFileError(
            f"{workdir} holds no complete checkpoint with a score. Train it with "
            f"python -m experiments.train --workdir={workdir}."
        )
    return checkpoints.restore(step, abstract)


# -- what it says ----------------------------------------------------------------------


def predict_examples(
    predictor: Predictor, state: TrainState, examples: Sequence[Inputs]
) -> Output:
    """Returns what a state says of examples, each of one object and padded alike."""
    longest = predictor.lengths[-1]  # as a drawing is, of however many epochs
    num_epochs = np.array(
        [one.epoch_mask.sum() if one.OF_EPOCHS else longest for one in examples]
    )
    size = predictor.batch_size
    groups = group_by_length(num_epochs, predictor.lengths, size)
    inputs = (
        stacked([examples[i] for i in places[start : start + size]], length, size)
        for length, places in groups
        for start in range(0, len(places), size)
    )
    places = np.concatenate([places for _, places in groups])
    return predict_batches(predictor, state, inputs, places)


def stacked(examples: list[Inputs], length: int, batch_size: int) -> Inputs:
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
    """Returns what a state says of batches of which object i belongs at places[i].

    Rows beyond those, which fill up the last batch, are dropped. Of several processes
    each gives its rows, and holds the output of all.
    """
    parts = list(_one_ahead(predictor(state, batch) for batch in batches))
    order = np.argsort(places)
    columns = zip(*((p.logits, p.embedding, *_extras(p)) for p in parts), strict=True)
    logits, *others = (np.concatenate(column)[order] for column in columns)
    return Output(softmax(logits), *others)


def aux_of_groups(
    predictor: Predictor, state: TrainState, groups: list, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Returns those extras of a model that it has, by name, object by object.

    Args:
        groups: batches of objects of like length, as evaluation_groups gives them.
    """
    batches = (batch.inputs for group in groups for batch in group.batches.since(0))
    order = np.argsort(np.concatenate([group.places for group in groups]))
    # Of each batch only what is asked for leaves the device.
    parts = list(
        _one_ahead(
            {name: aux[name] for name in names if name in aux}
            for aux in (predictor(state, batch).aux for batch in batches)
        )
    )
    return {
        name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]
    }


def validation_scores(
    label: np.ndarray, output: Output, num_classes: int
) -> dict[str, float]:
    """Returns the scores that may pick a state; high is best.

    Of a model that draws its input also "log_likelihood", or a lower bound of it, in
    nats per pixel, for which no label is asked.
    """
    found = scores(label, output.probability, num_classes)
    if output.surprise.size:
        found["log_likelihood"] = -float(output.surprise.mean(dtype=np.float64))
    return found


def softmax(logits: np.ndarray) -> np.ndarray:
    """Returns probabilities [o c] in float64, so that rows sum to one."""
    # Those of a model that diverged are NaN, without a warning for each.
    with np.errstate(invalid="ignore"):
        odds = np.exp(np.float64(logits) - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _extras(output: ModelOutput) -> tuple[np.ndarray, np.ndarray]:
    aux, none = output.aux, output.logits[:, :0]
    surprise = aux["surprise"][:, None] if "surprise" in aux else none
    return aux.get("spread", none), surprise


def _one_ahead(outputs: Iterator) -> Iterator:
    """Fetches outputs, each after the next was started, so that devices never wait."""
    outputs = itertools.chain(outputs, [None])
    for before, _ in itertools.pairwise(outputs):
        yield jax.device_get(before)
