"""Shows what a config builds: layers, parameters, arithmetic, memory.

    python -m experiments.describe --config=configs/semiconformer.py:paper

Counted without running: FLOPs are those of matrix products and convolutions (two per
multiply and add) in the traced program, memory is what XLA's compiler plans for.
"""

import json
import math
import sys

import jax
import jax.extend
import numpy as np
from absl import flags
from ml_collections import config_flags

from jaxastro.commands import command_line
from jaxastro.runs import assemble, compilation_cache
from jaxastro.training import sharding
from jaxastro.types import Batch

FLAGS = flags.FLAGS


def describe(config) -> dict:
    """Returns the numbers of a config, as the command's --json prints them.

    parameters: of the network that is trained and used to predict.
    flops_per_object: of one prediction; flops_per_object_step: of training, views and
        networks counted.
    bytes_per_object: that one more object in a batch adds to a training step.
    layers: path, shape and number of every trained array.
    """
    method = assemble.method_of_config(config, sharding.make_mesh())
    key = jax.random.key(config.seed)
    state = jax.eval_shape(method.init, key, assemble.blank_inputs(config))
    few, many = (batch_of(config, count) for count in (2, 4))
    inputs = assemble.blank_inputs(config, num_objects=2)
    predicted = jax.make_jaxpr(method.predict)(state, inputs)
    stepped = jax.make_jaxpr(method.step)(state, few)
    peaks = [peak_bytes(method.step, state, batch) for batch in (few, many)]
    layers = [
        {
            "path": "/".join(str(entry.key) for entry in path),
            "shape": list(leaf.shape),
            "parameters": leaf.size,
        }
        for path, leaf in jax.tree.leaves_with_path(state.params)
    ]
    return {
        "preset": config.preset,
        "survey": config.survey,
        "model": config.model.name,
        "method": config.method.name,
        "parameters": sum(layer["parameters"] for layer in layers),
        "flops_per_object": count_flops(predicted.jaxpr) // 2,
        "flops_per_object_step": count_flops(stepped.jaxpr) // 2,
        "bytes_per_object": max(peaks[1] - peaks[0], 0) // 2,
        "state_bytes": sum(
            leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)
        ),
        "layers": layers,
    }


def batch_of(config, num_objects: int) -> Batch:
    """Returns a batch of the shapes that training sees, without numbers in it."""
    inputs = assemble.input_shapes(
        assemble.blank_inputs(config),
        num_objects=num_objects,
        epochs=config.loader.loaded_epochs,
    )
    flag = jax.ShapeDtypeStruct((num_objects,), np.bool_)
    label = jax.ShapeDtypeStruct((num_objects,), np.int32)
    return Batch(inputs, label, flag, flag)


def peak_bytes(step, state, batch) -> int:
    """Returns the memory that a compiled training step needs beyond its arguments."""
    compiled = jax.jit(step, donate_argnums=0).lower(state, batch).compile()
    return compiled.memory_analysis().temp_size_in_bytes


def count_flops(jaxpr) -> int:
    """Returns the FLOPs of the products in a traced program, loops multiplied out."""
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            shape = equation.invars[0].aval.shape
            summed = math.prod(shape[axis] for axis in contracted)
            total += 2 * equation.outvars[0].aval.size * summed
        elif equation.primitive.name == "conv_general_dilated":
            kernel = equation.invars[1].aval
            layout = equation.params["dimension_numbers"].rhs_spec
            summed = kernel.size // kernel.shape[layout[0]]
            total += 2 * equation.outvars[0].aval.size * summed
        repeats = equation.params.get("length", 1)
        for inner in jax.extend.core.jaxprs_in_params(equation.params):
            total += repeats * count_flops(inner)
    return total


def main() -> None:
    """Runs the command."""
    compilation_cache.keep_programs()
    # A program reads standard output where --json asks for it: words go elsewhere.
    said = sys.stderr if FLAGS.json else sys.stdout
    found = describe(assemble.resolve_preset(FLAGS, said=said))
    if FLAGS.json:
        print(json.dumps(found))
        return
    width = max(len(layer["path"]) for layer in found["layers"])
    for layer in found["layers"]:
        shape = "x".join(map(str, layer["shape"]))
        print(f"{layer['path']:{width}}  {shape:>18}  {layer['parameters']:>10,}")
    print(f"\n{found['method']} of {found['model']} on {found['survey']}")
    print(f"parameters trained     {found['parameters']:>14,}")
    print(f"prediction, an object  {found['flops_per_object'] / 1e9:>14.3f} GFLOP")
    print(f"training, an object    {found['flops_per_object_step'] / 1e9:>14.3f} GFLOP")
    print(f"memory, an object      {found['bytes_per_object'] / 2**20:>14.1f} MiB")
    print(f"state                  {found['state_bytes'] / 2**20:>14.1f} MiB")


if __name__ == "__main__":
    config_flags.DEFINE_config_file(
        "config", None, "An experiment, such as configs/semiconformer.py:laptop."
    )
    flags.DEFINE_bool("json", False, "Print one JSON object instead of a table.")
    flags.declare_key_flag("compilation_cache")
    command_line.run(main, needs=("config",))
