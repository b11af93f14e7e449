"""Sequences per second and latency of predictions, in batches of 1 to 1024.

    python -m benchmarks.inference [--config configs/convention.py:laptop]
    python -m benchmarks.inference --batches 1 8 64 --lengths 12 48 60 --json

Measured from arrays in memory to probabilities on the host, on one device, with the
programs of evaluation and prediction and with random parameters. Each case is repeated
for --seconds, and at least --repeats times; percentiles of large batches rest on few
repeats. MiB is what the compiler plans for arguments, output and temporaries.
"""

import time
from typing import NamedTuple

import jax
import numpy as np
from tqdm import tqdm

from benchmarks import result
from benchmarks.specs import spec_of_config, task_of
from jaxastro.runs.model_building import abstract_state, build_method
from jaxastro.runs.predictor import Predictor, softmax
from jaxastro.runs.spec import RunSpec
from jaxastro.runs.task import blank_inputs
from jaxastro.training import sharding
from jaxastro.types import Inputs, Method, Task, TrainState

PERCENTILES = (50, 90, 99)
SHORT = 12  # epochs of an object that was discovered recently


class Network(NamedTuple):
    """A spec's method with random parameters, on one device."""

    spec: RunSpec
    task: Task
    method: Method
    abstract: TrainState
    state: TrainState
    mesh: sharding.Mesh

    def predictor(self, batch_size: int) -> Predictor:
        """Returns the predictor of this network for batches of one size."""
        predictor = Predictor(
            self.spec, self.task, self.method, self.abstract, self.mesh
        )
        predictor.batch_size = batch_size
        return predictor


def make_network(spec: RunSpec) -> Network:
    """Returns the network of a spec."""
    task, mesh = task_of(spec), sharding.make_mesh(devices=jax.devices()[:1])
    method = build_method(spec, task, mesh)
    abstract = abstract_state(method, spec, task, mesh)
    init = jax.jit(method.init, out_shardings=sharding.shardings_of(abstract))
    state = init(jax.random.key(0), blank_inputs(spec, task))
    return Network(spec, task, method, abstract, state, mesh)


def random_inputs(spec: RunSpec, task: Task, num_objects: int) -> Inputs:
    """Returns inputs of noise, with the largest number of epochs of the spec."""
    blank = blank_inputs(spec, task, num_objects=num_objects)
    generator = np.random.default_rng(0)
    shape = (num_objects, spec.representation.max_epochs)
    days = np.sort(1000 * generator.random(shape))

    def noise(name: str, column: np.ndarray) -> np.ndarray:
        if name == "time":
            return (days - days[:, :1]).astype(np.float32)
        if column.dtype != np.float32:
            return column
        values = generator.standard_normal(column.shape, np.float32)
        return abs(values) if name == "flux_error" else values

    fields = zip(blank._fields, blank, strict=True)
    return type(blank)(*(noise(name, column) for name, column in fields))


def measure(
    network: Network, batch: int, length: int, *, repeats: int, seconds: float
) -> result.Row:
    """Returns the row of one batch size and number of epochs."""
    predictor = network.predictor(batch)
    inputs = random_inputs(network.spec, network.task, batch)
    epochs = {name: getattr(inputs, name)[:, :length] for name in inputs.OF_EPOCHS}
    inputs = inputs._replace(**epochs)

    def run() -> None:
        softmax(jax.device_get(predictor(network.state, inputs)).logits)

    run()
    took, begin = [], time.perf_counter()
    while len(took) < repeats or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        run()
        took.append(time.perf_counter() - start)
    plan = predictor.prepare(length).result().memory_analysis()
    planned = (
        plan.argument_size_in_bytes
        + plan.output_size_in_bytes
        + plan.temp_size_in_bytes
    )
    latency = 1e3 * np.percentile(took, PERCENTILES)
    measures = {"sequences/s": result.rate_of(result.spread_of(took), batch)}
    measures |= {
        f"ms, {percent} %": float(milliseconds)
        for percent, milliseconds in zip(PERCENTILES, latency, strict=True)
    }
    case = {"epochs": length, "batch": batch}
    return result.Row(case, measures | {"MiB": planned / 2**20})


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=3)
    parser.add_argument("--config", default="configs/convention.py:laptop")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each case")
    doubled = [2**power for power in range(11)]
    parser.add_argument("--batches", type=int, nargs="+", default=doubled)
    parser.add_argument(
        "--lengths", type=int, nargs="+", help=f"epochs; default: {SHORT}, and all"
    )
    given = parser.parse_args()
    network = make_network(spec_of_config(given.config))
    longest = network.spec.representation.max_epochs
    lengths = given.lengths or sorted({min(SHORT, longest), longest})
    cases = [(length, batch) for length in lengths for batch in given.batches]
    settings = {"repeats": given.repeats, "seconds": given.seconds}
    rows = [
        measure(network, batch, length, **settings)
        for length, batch in tqdm(cases, desc="Measuring", unit="case")
    ]
    about = {"device": jax.devices()[0].device_kind, "config": given.config}
    result.show(rows, as_json=given.json, about=about)


if __name__ == "__main__":
    main()
