"""Training on labels alone."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Integer

from jaxastro import losses
from jaxastro.errors import InputError
from jaxastro.training.gradient_accumulation import accumulated
from jaxastro.types import Batch, Inputs, Method, ModelOutput, TrainState

LOSSES = ("cross_entropy", "focal")


def supervised(
    model,
    optimizer: optax.GradientTransformation,
    augment,
    *,
    seed: int | Integer[Array, ""],
    loss: str = "cross_entropy",
    label_smoothing: float = 0.0,
    focal_gamma: float = 2.0,
    entropy_weight: float = 0.0,
    average_decay: float = 0.0,
    divergence_weight: float = 0.0,
    gradient_accumulation: int = 1,
) -> Method:
    """Returns the method that minimises a loss over one view of labelled objects.

    With an average_decay tau the mean of the networks so far predicts, the latest with
    most weight: its parameters, and its batch statistics, after step k are
        average = sum over i <= k of (1 - tau) tau^(k - i) params_i / (1 - tau^k)

    Args:
        entropy_weight: of the entropy that is subtracted from the loss.
        average_decay: tau, the weight of the old average; 0 for none.
        divergence_weight: of the divergence from the prior that a model of uncertain
            weights gives, for one object: one over the number of training objects.
        gradient_accumulation: parts that a batch is computed in, one after the other.
            Each is normalised by its own batch statistics, and updates the running.
    Source: Bairouk et al. 2023, A&A 673, A141, Sect. 4 (cross-entropy); average:
        Polyak & Juditsky 1992, with the weights of Kingma & Ba 2015, Sect. 3.
    Differs: objects without a label contribute nothing.
    """
    if loss not in LOSSES:
        raise InputError(f"No loss named {loss!r}. Known losses: {', '.join(LOSSES)}.")
    for name, value in (
        ("divergence_weight", divergence_weight),
        ("entropy_weight", entropy_weight),
    ):
        if value < 0:
            raise InputError(f"{name} {value} is below 0.")
    if not 0 <= average_decay < 1:
        raise InputError(
            f"average_decay {average_decay} is not in [0, 1). Use 0 for no average."
        )

    def init(key: jax.Array, inputs: Inputs) -> TrainState:
        variables = model.init(key, inputs, train=False)
        params, batch_stats = variables["params"], variables.get("batch_stats", {})
        step = jnp.zeros((), jnp.int32)
        # Copies, for a donated buffer cannot stand in the state twice.
        average = jax.tree.map(jnp.copy, (params, batch_stats))
        average = average if average_decay else ({}, {})
        return TrainState(step, params, batch_stats, optimizer.init(params), *average)

    def loss_fn(params, batch_stats, key, rows: tuple[Batch, jax.Array]):
        batch, weight = rows
        output, updated = model.apply(
            {"params": params, "batch_stats": batch_stats},
            batch.inputs,
            train=True,
            rngs={"dropout": key},
            mutable=["batch_stats"],
        )
        if loss == "focal":
            per_object = losses.focal(output.logits, batch.label, focal_gamma)
        else:
            per_object = losses.cross_entropy(
                output.logits, batch.label, label_smoothing
            )
        if entropy_weight:
            per_object -= entropy_weight * losses.entropy(output.logits)
        if ("divergence" in output.aux) != bool(divergence_weight):
            raise InputError(
                f"divergence_weight {divergence_weight}, and weights of the model that "
                f"are {'un' * ('divergence' in output.aux)}certain. It is for those "
                "that are uncertain, and they need it: 1 / number of training objects."
            )
        if divergence_weight:
            per_object += divergence_weight * output.aux["divergence"]
        hit = (output.logits.argmax(-1) == batch.label).astype(jnp.float32)
        scalars = {"accuracy": losses.weighted_sum(hit, weight)}
        value = losses.weighted_sum(per_object, weight)
        return value, (updated["batch_stats"], scalars)

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
        key = jax.random.fold_in(jax.random.key(seed), state.step)
        view = augment(jax.random.fold_in(key, 0), batch.inputs)
        weight = losses.equal_weight(batch.label_mask & batch.example_mask)

        grad_fn = partial(jax.value_and_grad(loss_fn, has_aux=True), state.params)
        (value, (batch_stats, scalars)), grads = accumulated(
            grad_fn,
            state.batch_stats,
            jax.random.fold_in(key, 1),
            (batch._replace(inputs=view), weight),
            parts=gradient_accumulation,
        )
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        average = state.target_params, state.target_batch_stats
        if average_decay:
            # the weight that makes it the sum above; 1 at first, so the start is gone
            log_tau = math.log(average_decay)
            newest = jnp.expm1(log_tau) / jnp.expm1(log_tau * (state.step + 1))
            average = optax.incremental_update((params, batch_stats), average, newest)
        state = TrainState(state.step + 1, params, batch_stats, opt_state, *average)
        norm = optax.tree.norm(grads)
        return state, {"loss": value, **scalars, "grad_norm": norm}

    def predict(state: TrainState, inputs: Inputs) -> ModelOutput:
        params, batch_stats = state.params, state.batch_stats
        if average_decay:
            params, batch_stats = state.target_params, state.target_batch_stats
        variables = {"params": params, "batch_stats": batch_stats}
        return model.apply(variables, inputs, train=False)

    return Method(init, step, predict, predicts_with_target=bool(average_decay))
