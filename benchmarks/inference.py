"""Sequences a second, and how long one waits for them, in batches of 1 to 1024.

    python -m benchmarks.inference [--config configs/convention.py:laptop]
    python -m benchmarks.inference --batches 1 8 64 --lengths 12 48 60 --json

From arrays in memory to probabilities on the host, on one device, by the program that
evaluate and predict run, with parameters drawn at random. A case is repeated for some
--seconds, and --repeats times at least: percentiles of large batches are of those few.
MiB is what the compiler plans for: arguments, output, and the most between them.
"""

import runpy
import time
from typing import NamedTuple

import jax
import numpy as np
from tqdm import tqdm

from benchmarks import result
from jaxastro.runs import assemble
from jaxastro.runs.predictor import Predictor, abstract_state, softmax
from jaxastro.training import sharding
from jaxastro.types import Inputs, Method, TrainState

PERCENTILES = (50, 90, 99)
YOUNG = 12  # epochs of an object that was found not long ago


class Network(NamedTuple):
    """What a config builds, with parameters drawn at random."""

    config: object
    method: Method
    abstract: TrainState
    state: TrainState
    mesh: sharding.Mesh


def network_of(config) -> Network:
    """Returns the network of a config, on one device."""
    mesh = sharding.make_mesh(devices=jax.devices()[:1])
    method = assemble.method_of_config(config, mesh)
    abstract = abstract_state(method, config, mesh)
    key, blank = jax.random.key(0), assemble.blank_inputs(config)
    state = jax.jit(method.init, out_shardings=sharding.shardings_of(abstract))(
        key, blank
    )
    return Network(config, method, abstract, state, mesh)


def random_inputs(config, num_objects: int) -> Inputs:
    """Returns inputs of noise, of the longest series that the config takes."""
    blank = assemble.blank_inputs(config, num_objects=num_objects)
    generator = np.random.default_rng(0)
    epochs = np.sort(
        1000 * generator.random((num_objects, config.representation.max_epochs))
    )

    def noise(name: str, column: np.ndarray) -> np.ndarray:
        if name == "time":
            return (epochs - epochs[:, :1]).astype(np.float32)
        if column.dtype != np.float32:
            return column
        drawn = generator.standard_normal(column.shape, np.float32)
        return abs(drawn) if name == "flux_error" else drawn

    fields = zip(blank._fields, blank, strict=True)
    return type(blank)(*(noise(name, column) for name, column in fields))


def measure(
    network: Network, batch: int, length: int, *, repeats: int, seconds: float
) -> result.Row:
    """Returns the row of one batch size and length of series."""
    config = network.config
    predictor = Predictor(config, network.method, network.abstract, network.mesh)
    predictor.batch_size = batch
    inputs = random_inputs(config, batch)
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
    waits = 1e3 * np.percentile(took, PERCENTILES)
    measures = {"sequences/s": result.rate_of(result.spread_of(took), batch)}
    measures |= {
        f"ms, {percent} %": float(wait)
        for percent, wait in zip(PERCENTILES, waits, strict=True)
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
        "--lengths", type=int, nargs="+", help=f"epochs; default: {YOUNG}, and all"
    )
    given = parser.parse_args()
    path, _, preset = given.config.partition(":")
    config = runpy.run_path(path)["get_config"](preset)
    longest = config.representation.max_epochs
    lengths = given.lengths or sorted({min(YOUNG, longest), longest})
    cases = [(length, batch) for length in lengths for batch in given.batches]
    settings = {"repeats": given.repeats, "seconds": given.seconds}
    network = network_of(config)
    rows = [measure(network, b, n, **settings) for n, b in tqdm(cases, unit="case")]
    device = jax.devices()[0].device_kind
    about = {"device": device, "config": given.config}
    result.show(rows, as_json=given.json, about=about)


if __name__ == "__main__":
    main()
