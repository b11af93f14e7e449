"""Learning without labels: a loss of an encoder's, and a probe beside it."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Integer

from jaxastro import losses
from jaxastro.layers.probe import separate_probe
from jaxastro.training.gradient_accumulation import accumulated
from jaxastro.types import Batch, Inputs, Method, ModelOutput, TrainState


def self_supervised(
    network,
    optimizer: optax.GradientTransformation,
    augment,
    *,
    seed: int | Integer[Array, ""],
    ask: Callable,
    error: Callable,
    nothing: Callable = lambda inputs: (),
    gradient_accumulation: int,
) -> Method:
    """Returns the method of a network that tells what it is asked for, and a probe.

    Args:
        network: has a group "probe", whose logits learn from the labels there are.
        ask: (key, view) -> arguments of the network, and what it is to tell of them, in
            a tuple with a `mask` that is True where there is something.
        error: (the network's output, what it was to tell, step) -> numbers per object
            by name; "error" is what is minimised, the others are shown.
        nothing: inputs -> the network's further arguments where nothing is asked.
    Source: as masked_frames, contaminated and autoencoder.
    Differs: the same.
    """
    optimizer = separate_probe(optimizer)

    def init(key: jax.Array, inputs: Inputs) -> TrainState:
        variables = network.init(key, inputs, *nothing(inputs), train=False)
        params, batch_stats = variables["params"], variables.get("batch_stats", {})
        step = jnp.zeros((), jnp.int32)
        return TrainState(step, params, batch_stats, optimizer.init(params), {}, {})

    def loss_fn(params, step, batch_stats, key, rows):
        given, asked, label, weight_label, weight = rows
        output, updated = network.apply(
            {"params": params, "batch_stats": batch_stats},
            *given,
            train=True,
            rngs={"dropout": key},
            mutable=["batch_stats"],
        )
        told = {
            name: losses.weighted_sum(of_each, weight)
            for name, of_each in error(output, asked, step).items()
        }
        per_object = losses.cross_entropy(output.logits, label)
        classify = losses.weighted_sum(per_object, weight_label)
        hit = (output.logits.argmax(-1) == label).astype(jnp.float32)
        accuracy = losses.weighted_sum(hit, weight_label)
        scalars = {**told, "cross_entropy": classify, "accuracy": accuracy}
        return told["error"] + classify, (updated["batch_stats"], scalars)

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
        key = jax.random.fold_in(jax.random.key(seed), state.step)
        # Rows that fill up a batch are not seen, and enter no statistics.
        mask = batch.inputs.epoch_mask & batch.example_mask[:, None]
        inputs = batch.inputs._replace(epoch_mask=mask)
        view = augment(jax.random.fold_in(key, 0), inputs)
        given, asked = ask(jax.random.fold_in(key, 1), view)
        weight_label = losses.equal_weight(batch.label_mask & batch.example_mask)
        weight = losses.equal_weight(asked.mask.reshape(len(mask), -1).any(1))

        (loss, (batch_stats, scalars)), grads = accumulated(
            partial(
                jax.value_and_grad(loss_fn, has_aux=True), state.params, state.step
            ),
            state.batch_stats,
            jax.random.fold_in(key, 2),
            (given, asked, batch.label, weight_label, weight),
            parts=gradient_accumulation,
        )
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        state = TrainState(state.step + 1, params, batch_stats, opt_state, {}, {})
        norm = optax.tree.norm(grads)
        return state, {"loss": loss, **scalars, "grad_norm": norm}

    def predict(state: TrainState, inputs: Inputs) -> ModelOutput:
        variables = {"params": state.params, "batch_stats": state.batch_stats}
        return network.apply(variables, inputs, *nothing(inputs), train=False)

    return Method(init, step, predict)
