"""Objects a second of every model: predicted, and trained on.

    python -m benchmarks.models [--configs configs/lstm.py:laptop configs/best.py]

A model of every config with the preset :laptop, its parameters drawn at random, on one
device; inputs are arrays in memory, of the config's longest series. Predicted: --batch
objects at a time, to probabilities on the host. Trained: whole steps of the config's
method on its own batch size, views drawn, all objects labelled.
"""

import runpy
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from benchmarks import result
from benchmarks.inference import network_of, random_inputs
from jaxastro.runs.predictor import Predictor, softmax
from jaxastro.types import Batch


def measure(config, *, batch: int, repeats: int) -> dict[str, float | result.Spread]:
    """Returns parameters, and objects a second."""
    network = network_of(config)
    size = sum(leaf.size for leaf in jax.tree.leaves(network.abstract.params))
    predictor = Predictor(config, network.method, network.abstract, network.mesh)
    predictor.batch_size = batch
    inputs = random_inputs(config, batch)

    def predict() -> None:
        softmax(jax.device_get(predictor(network.state, inputs)).logits)

    count = config.batch_size
    generator = np.random.default_rng(0)
    label = generator.integers(0, len(config.classes), count).astype(np.int32)
    good = np.ones(count, bool)
    given = Batch(random_inputs(config, count), label, good, good)
    given = jax.tree.map(jnp.asarray, given)  # on the device before the clock starts
    step = jax.jit(network.method.step)

    def train() -> None:
        jax.block_until_ready(step(network.state, given))

    predicted, trained = (result.seconds_of(run, repeats) for run in (predict, train))
    return {
        "parameters": float(size),
        "predicted objects/s": result.rate_of(predicted, batch),
        "trained objects/s": result.rate_of(trained, count),
    }


def main() -> None:
    """Runs the command."""
    files = sorted(Path("configs").glob("*.py"))
    every = [f"{f}:laptop" for f in files if f.stem not in ("__init__", "base")]
    parser = result.parser_of(__doc__, repeats=10)
    parser.add_argument("--configs", nargs="+", default=every)
    parser.add_argument("--batch", type=int, default=32, help="objects predicted")
    given = parser.parse_args()
    rows = []
    for name in tqdm(given.configs, unit="config"):
        path, _, preset = name.partition(":")
        config = runpy.run_path(path)["get_config"](preset)
        case = {"config": Path(path).stem, "input": config.representation.name}
        case["epochs"] = config.representation.max_epochs
        found = measure(config, batch=given.batch, repeats=given.repeats)
        rows.append(result.Row(case, found))
    device = jax.devices()[0].device_kind
    about = {"device": device, "predicted at once": str(given.batch)}
    result.show(rows, as_json=given.json, about=about)


if __name__ == "__main__":
    main()
