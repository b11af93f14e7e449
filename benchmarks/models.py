"""Objects per second of every model: predicted, and trained on.

    python -m benchmarks.models [--configs configs/lstm.py:laptop configs/best.py]

The model of every config with the preset :laptop, with random parameters, on one
device; inputs are arrays in memory, with the config's largest number of epochs.
Predicted: --batch objects at a time, to probabilities on the host. Trained: whole steps
of the config's method on batches of its own size, augmentation included, all objects
labelled.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from benchmarks import result
from benchmarks.inference import make_network, random_inputs
from benchmarks.specs import spec_of_config
from jaxastro.runs.predictor import softmax
from jaxastro.runs.spec import RunSpec
from jaxastro.types import Batch


def measure(
    spec: RunSpec, *, batch: int, repeats: int
) -> dict[str, float | result.Spread]:
    """Returns the number of parameters, and objects per second."""
    network = make_network(spec)
    size = sum(leaf.size for leaf in jax.tree.leaves(network.abstract.params))
    predictor = network.predictor(batch)
    inputs = random_inputs(spec, network.task, batch)

    def predict() -> None:
        softmax(jax.device_get(predictor(network.state, inputs)).logits)

    count = spec.batch_size
    generator = np.random.default_rng(0)
    label = generator.integers(0, len(spec.classes), count).astype(np.int32)
    known = np.ones(count, bool)
    given = Batch(random_inputs(spec, network.task, count), label, known, known)
    given = jax.tree.map(jnp.asarray, given)  # on the device before it is timed
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
        spec = spec_of_config(name)
        case = {
            "config": Path(name.partition(":")[0]).stem,
            "input": spec.representation.name,
            "epochs": spec.representation.max_epochs,
        }
        found = measure(spec, batch=given.batch, repeats=given.repeats)
        rows.append(result.Row(case, found))
    device = jax.devices()[0].device_kind
    about = {"device": device, "predicted at once": str(given.batch)}
    result.show(rows, as_json=given.json, about=about)


if __name__ == "__main__":
    main()
