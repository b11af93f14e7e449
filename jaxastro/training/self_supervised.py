"""Self-supervised training by reconstruction, with a linear probe."""

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
    prepare: Callable,
    error: Callable,
    empty_query: Callable = lambda inputs: (),
    gradient_accumulation: int,
) -> Method:
    """Returns the method that trains a network to reconstruct, and its probe.

    Args:
        network: has a group "probe", whose logits are trained with the labels.
        prepare: (key, view) -> arguments of the network, and a named tuple of what it
            has to reconstruct. The field `mask` is True where there is something.
        error: (output of the network, what it has to reconstruct, step) -> arrays per
            object, by name. "error" is minimised, the others are scalars to log.
        empty_query: inputs -> further arguments of the network in prediction, where it
            reconstructs nothing.
    Source: as masked_frames, corrupted_light_curve and autoencoder.
    Differs: as these.
    """
    optimizer = separate_probe(optimizer)

    def init(key: jax.Array, inputs: Inputs) -> TrainState:
        variables = network.init(key, inputs, *empty_query(inputs), train=False)
        params, batch_stats = variables["params"], variables.get("batch_stats", {})
        step = jnp.zeros((), jnp.int32)
        return TrainState(step, params, batch_stats, optimizer.init(params), {}, {})

    def loss_fn(params, step, batch_stats, key, rows):
        arguments, expected, label, weight_label, weight = rows
        output, updated = network.apply(
            {"params": params, "batch_stats": batch_stats},
            *arguments,
            train=True,
            rngs={"dropout": key},
            mutable=["batch_stats"],
        )
        reconstruction = {
            name: losses.weighted_sum(per_object, weight)
            for name, per_object in error(output, expected, step).items()
        }
        per_object = losses.cross_entropy(output.logits, label)
        classify = losses.weighted_sum(per_object, weight_label)
        hit = (output.logits.argmax(-1) == label).astype(jnp.float32)
        accuracy = losses.weighted_sum(hit, weight_label)
        scalars = {**reconstruction, "cross_entropy": classify, "accuracy": accuracy}
        loss = reconstruction["error"] + classify
        return loss, (updated["batch_stats"], scalars)

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
        key = jax.random.fold_in(jax.random.key(seed), state.step)
        # Rows that pad the batch are masked, so that they enter no batch statistics.
        mask = batch.inputs.epoch_mask & batch.example_mask[:, None]
        inputs = batch.inputs._replace(epoch_mask=mask)
        view = augment(jax.random.fold_in(key, 0), inputs)
        arguments, expected = prepare(jax.random.fold_in(key, 1), view)
        weight_label = losses.equal_weight(batch.label_mask & batch.example_mask)
        weight = losses.equal_weight(expected.mask.reshape(mask.shape[0], -1).any(1))

        (loss, (batch_stats, scalars)), grads = accumulated(
            partial(
                jax.value_and_grad(loss_fn, has_aux=True), state.params, state.step
            ),
            state.batch_stats,
            jax.random.fold_in(key, 2),
            (arguments, expected, batch.label, weight_label, weight),
            parts=gradient_accumulation,
        )
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        state = TrainState(state.step + 1, params, batch_stats, opt_state, {}, {})
        norm = optax.tree.norm(grads)
        return state, {"loss": loss, **scalars, "grad_norm": norm}

    def predict(state: TrainState, inputs: Inputs) -> ModelOutput:
        variables = {"params": state.params, "batch_stats": state.batch_stats}
        return network.apply(variables, inputs, *empty_query(inputs), train=False)

    return Method(init, step, predict)
