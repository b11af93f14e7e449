"""Supervised training."""

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

    With average_decay = tau, an exponential moving average predicts. Its parameters and
    batch statistics after step k are
        average = sum over i <= k of (1 - tau) tau^(k - i) params_i / (1 - tau^k)

    Args:
        loss: "cross_entropy" or "focal".
        label_smoothing: of the cross-entropy, in [0, 1).
        focal_gamma: exponent of the focal loss.
        entropy_weight: weight of an entropy bonus against over-confidence.
        average_decay: tau, the weight of the old average; 0 for no average.
        divergence_weight: weight of the divergence from the prior of a Bayesian model:
            1 / number of training objects. 0 for other models.
        gradient_accumulation: number of parts in which a batch is computed. Each part
            is normalised by its own statistics and updates the running statistics.
    Raises:
        InputError: if an argument is out of range.
    Source: Bairouk et al. 2023, A&A 673, A141, Sect. 4 (cross-entropy); average:
        Polyak & Juditsky 1992, with the weights of Kingma & Ba 2015, Sect. 3.
    Differs: objects without a label do not contribute.
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
        # Copies, as a donated buffer cannot occur twice in the state.
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
        is_bayesian = "divergence" in output.aux
        if is_bayesian != bool(divergence_weight):
            kind = "Bayesian" if is_bayesian else "not Bayesian"
            raise InputError(
                f"divergence_weight is {divergence_weight}, and the model is {kind}. "
                "Set it to 1 / number of training objects for a Bayesian model, and to "
                "0 for others."
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
            # The weight that gives the sum above. It is 1 in the first step, so the
            # initial parameters have no effect.
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
