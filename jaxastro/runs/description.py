"""What a spec builds: layers, parameters, arithmetic, memory.

Counted without running: FLOPs are those of matrix products and convolutions (two per
multiply and add) in the traced program, memory is what XLA's compiler plans for.
"""

import math

import jax
import jax.extend
import numpy as np

from jaxastro.runs.model_building import build_method, input_shapes
from jaxastro.runs.spec import RunSpec
from jaxastro.runs.task import blank_inputs
from jaxastro.training import sharding
from jaxastro.types import Batch, Task


def describe(spec: RunSpec, task: Task) -> dict:
    """Returns the numbers of a run, as the command's --json prints them.

    parameters: of the network that is trained and used to predict.
    flops_per_object: of one prediction; flops_per_object_step: of training, views and
        networks counted.
    bytes_per_object: that one more object in a batch adds to a training step.
    layers: path, shape and number of every trained array.
    """
    method = build_method(spec, task, sharding.make_mesh())
    key = jax.random.key(spec.seed)
    state = jax.eval_shape(method.init, key, blank_inputs(spec, task))
    few, many = (batch_of(spec, task, count) for count in (2, 4))
    inputs = blank_inputs(spec, task, num_objects=2)
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
        "preset": spec.preset,
        "survey": spec.survey,
        "model": spec.model.name,
        "method": spec.method.name,
        "parameters": sum(layer["parameters"] for layer in layers),
        "flops_per_object": count_flops(predicted.jaxpr) // 2,
        "flops_per_object_step": count_flops(stepped.jaxpr) // 2,
        "bytes_per_object": max(peaks[1] - peaks[0], 0) // 2,
        "state_bytes": sum(
            leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)
        ),
        "layers": layers,
    }


def batch_of(spec: RunSpec, task: Task, num_objects: int) -> Batch:
    """Returns the shapes of a training batch, without values."""
    inputs = input_shapes(
        blank_inputs(spec, task),
        num_objects=num_objects,
        epochs=spec.loader.loaded_epochs,
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


def as_text(found: dict) -> str:
    """Returns the numbers of `describe` as a table for people."""
    width = max(len(layer["path"]) for layer in found["layers"])
    lines = [
        f"{layer['path']:{width}}  {'x'.join(map(str, layer['shape'])):>18}  "
        f"{layer['parameters']:>10,}"
        for layer in found["layers"]
    ]
    lines += [
        f"\n{found['method']} of {found['model']} on {found['survey']}",
        f"parameters trained     {found['parameters']:>14,}",
        f"prediction, an object  {found['flops_per_object'] / 1e9:>14.3f} GFLOP",
        f"training, an object    {found['flops_per_object_step'] / 1e9:>14.3f} GFLOP",
        f"memory, an object      {found['bytes_per_object'] / 2**20:>14.1f} MiB",
        f"state                  {found['state_bytes'] / 2**20:>14.1f} MiB",
    ]
    return "\n".join(lines)
