"""Compares one step of a method on a mesh with one on a single device.

    python -m tests.support.one_step METHOD=FSDP,FSDP ... [coordinator processes index]

Prints, as one line of JSON, the largest differences of loss, gradients (the change by
plain SGD) and predictions between each mesh and a single device.
"""

import functools
import json
import sys

import jax
import numpy as np
import optax

from jaxastro.augment import make_augment
from jaxastro.methods import make_method
from jaxastro.models.convention import ConvEntion
from jaxastro.models.sits_bert import SitsBert
from jaxastro.models.stamp_encoder import StampEncoder
from jaxastro.training import sharding
from jaxastro.types import Alerts, Batch, Inputs, LightCurve, Series

OBJECTS, EPOCHS, PIXELS = 8, 6, 32
OF_NIGHTS = "corrupted_light_curve"  # the method that trains on light curves
OF_ALERTS = "autoencoder"


def batch_of_all(name: str) -> Batch:
    """Eight objects, some padded, some unlabelled, in the form a method trains on."""
    generator = np.random.default_rng(0)
    shape = (OBJECTS, EPOCHS)
    inputs = Series(
        image=generator.normal(size=(*shape, PIXELS, PIXELS)).astype(np.float32),
        time=np.sort(generator.uniform(0, 9, shape), 1).astype(np.float32),
        band=generator.integers(0, 5, shape).astype(np.int32),
        psf_fwhm=np.full(shape, 3, np.float32),
        noise=np.ones(shape, np.float32),
        epoch_mask=np.arange(EPOCHS) < generator.integers(2, 7, OBJECTS)[:, None],
    )
    epochs = inputs.time, inputs.band, inputs.epoch_mask
    if name == OF_NIGHTS:
        flux, error = generator.uniform(1, 2, (2, *shape)).astype(np.float32)
        nothing = np.zeros((OBJECTS, 0), np.float32)
        features = nothing, nothing.astype(bool)
        inputs = LightCurve(flux, error, *epochs, *features)
    if name == OF_ALERTS:
        nothing = np.zeros((OBJECTS, 1, 0), np.float32)
        time, band, seen = (a[:, :1] for a in epochs)
        stamp = np.stack([inputs.image[:, :1, :9, :9]] * 3, -1)
        inputs = Alerts(stamp, time, band, nothing, nothing.astype(bool), seen)
    label = np.arange(OBJECTS, dtype=np.int32) % 3
    return Batch(inputs, label, label < 2, np.ones(OBJECTS, bool))


def method_of(name: str, around=lambda optimizer: optimizer):
    """The smallest network in which a kernel of every kind is large enough to shard."""
    model = ConvEntion(
        3, widths=(4, 4, 4, 4), num_blocks=1, num_heads=2, score="additive"
    )
    if name == OF_NIGHTS:
        model = SitsBert(3, width=32, num_blocks=1, num_heads=2)
    if name == OF_ALERTS:
        model = StampEncoder(3, widths=(8, 8), hidden=32)
        same = make_augment(max_epochs=1, drop=0.0)
        return make_method(name, model, around(optax.sgd(1.0)), same, seed=0)
    augment = make_augment(max_epochs=3)
    return make_method(name, model, around(optax.sgd(1.0)), augment, seed=0)


def numbers(tree) -> list:
    """Every array of a tree as NumPy, gathered from all devices."""
    return [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(tree)]


def gap(ours, theirs, scale) -> float:
    """The largest difference in units of the largest change."""
    largest = max(np.abs(a).max(initial=0) for a in scale)
    pairs = zip(ours, theirs, strict=True)
    return max(float(np.abs(a - b).max(initial=0)) for a, b in pairs) / float(largest)


@functools.cache
def on_one_device(name: str) -> tuple:
    """The initial state, and state, scalars and logits after one step."""
    batch, method = batch_of_all(name), method_of(name)
    view = first_epochs(batch.inputs)
    start = jax.jit(method.init)(jax.random.key(0), view)
    state, scalars = jax.jit(method.step)(start, batch)
    return start, state, scalars, jax.jit(method.predict)(state, view).logits


def first_epochs(inputs: Inputs) -> Inputs:
    return jax.tree.map(lambda a: a[:, :3], inputs)


def measure(name: str, fsdp: int) -> dict:
    """One step on the mesh of all devices, compared with one without a mesh."""
    start, single, single_scalars, single_logits = on_one_device(name)
    batch, key = batch_of_all(name), jax.random.key(0)
    view = first_epochs(batch.inputs)
    mesh = sharding.make_mesh(fsdp)
    method = method_of(name, lambda o: sharding.with_summed_gradients(o, mesh))
    abstract = sharding.abstract_state(method.init, mesh, key, view)
    places, over_data = sharding.shardings_of(abstract), sharding.split_by_object(mesh)
    everywhere = sharding.replicated(mesh)
    state = jax.jit(method.init, out_shardings=places)(key, view)
    step = jax.jit(
        sharding.with_gathered_parameters(method.step, mesh),
        in_shardings=(places, over_data),
        out_shardings=(places, everywhere),
    )
    predict = jax.jit(
        sharding.with_gathered_parameters(method.predict, mesh),
        in_shardings=(places, over_data),
        out_shardings=everywhere,
    )
    rows = sharding.local_rows(OBJECTS, mesh)
    mine = jax.tree.map(lambda a: a[rows], batch)
    state, scalars = step(state, sharding.put_batch(mine, mesh))
    mine = jax.tree.map(lambda a: a[rows], view)
    logits = predict(state, sharding.put_batch(mine, mesh)).logits

    cut = sum("fsdp" in leaf.sharding.spec for leaf in jax.tree.leaves(abstract.params))
    gather = jax.jit(lambda tree: tree, out_shardings=everywhere)
    change = [b - a for a, b in zip(*map(numbers, (start, single)), strict=True)]
    return {
        "devices": mesh.size,
        "processes": jax.process_count(),
        "rows": len(rows),
        "cut": cut,
        "gradients": gap(numbers(gather(state)), numbers(single), change),
        "scalars": gap(*map(numbers, (scalars, single_scalars, single_scalars))),
        "logits": gap(*map(numbers, (logits, single_logits, single_logits))),
    }


def main() -> None:
    """Runs the command line."""
    jobs = [argument for argument in sys.argv[1:] if "=" in argument]
    rest = sys.argv[1 + len(jobs) :]
    if rest:
        sharding.join_hosts(rest[0], int(rest[1]), int(rest[2]))
    found = []
    for job in jobs:
        name, _, sizes = job.partition("=")
        for fsdp in map(int, sizes.split(",")):
            found.append({"method": name, "fsdp": fsdp})
            found[-1] |= measure(name, fsdp)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
