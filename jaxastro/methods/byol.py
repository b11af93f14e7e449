"""BYOL: self-supervised training on the agreement of two views."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Integer

from jaxastro import losses
from jaxastro.augment import interleave_views, switch_views
from jaxastro.errors import InputError
from jaxastro.layers.probe import separate_probe
from jaxastro.training.gradient_accumulation import accumulated
from jaxastro.types import (
    Batch,
    Inputs,
    LightCurve,
    Method,
    ModelOutput,
    Series,
    TrainState,
)


class Network(nn.Module):
    """The encoder of a model with a projector, a predictor and a linear probe.

        y = encoder(inputs);  z = projector(y);  q = predictor(z)
        logits = probe(sg(y)),  one layer, without a gradient for the encoder

    Source: Grill et al. 2020, arXiv 2006.07733, Sect. 3.1; probe: published code.
    Differs: none.
    """

    encoder: nn.Module  # a model with num_classes = 0
    num_classes: int
    hidden: int
    project: int

    @nn.compact
    def __call__(self, inputs: Inputs, *, train: bool) -> ModelOutput:
        output = self.encoder(inputs, train=train)
        y, is_observed = output.embedding, inputs.epoch_mask.any(1)
        sizes = (self.hidden, self.project)
        z = Perceptron(*sizes, name="projector")(y, is_observed, train)
        q = Perceptron(*sizes, name="predictor")(z, is_observed, train)
        logits = nn.Dense(self.num_classes, name="probe")(jax.lax.stop_gradient(y))
        return ModelOutput(logits, y, {**output.aux, "projection": z, "prediction": q})


class Perceptron(nn.Module):
    """Two dense layers with masked batch norm and relu between them.

    Source: Grill et al. 2020, arXiv 2006.07733, Sect. 3.3; biases: published code.
    Differs: no bias before the batch norm, where it would have no gradient.
    """

    hidden: int
    project: int

    @nn.compact
    def __call__(
        self, x: Float[Array, "b d"], is_observed: Bool[Array, " b"], train: bool
    ) -> Float[Array, "b p"]:
        x = nn.Dense(self.hidden, use_bias=False, name="hidden")(x)
        norm = nn.BatchNorm(not train, momentum=0.9, epsilon=1e-5, name="norm")
        x = nn.relu(norm(x, mask=is_observed[:, None]))
        return nn.Dense(self.project, use_bias=False, name="out")(x)


def byol(
    model,
    optimizer: optax.GradientTransformation,
    augment,
    *,
    seed: int | Integer[Array, ""],
    target_decay: float = 0.99,
    decay_steps: int = 0,
    hidden: int = 256,
    project: int = 128,
    gradient_accumulation: int = 1,
) -> Method:
    """Returns the method that trains on the agreement of two views, without labels.

        loss = sum over both directions of |q(v) - sg(z_target(v'))|^2, on the sphere
        target <- tau target + (1 - tau) online,  after each optimizer step
        tau = 1 - (1 - target_decay) (1 + cos(pi step / decay_steps)) / 2

    The labels train the probe, with a separate optimizer (`separate_probe`).

    Args:
        target_decay: initial tau, the weight of the old target.
        decay_steps: steps in which tau increases to 1; 0 keeps it constant.
        hidden: units of the hidden layers of projector and predictor.
        project: units of their output.
        gradient_accumulation: number of parts in which a batch is computed. Each part
            is normalised by its own statistics and updates the running statistics.
    Raises:
        InputError: if an argument is out of range.
    Source: Grill et al. 2020, arXiv 2006.07733, Eqs. 1 to 3 and Sect. 3.3.
    Differs: the target is initialised as a copy of the online network. Both views are
        one batch, with joint batch statistics. Layers have 256 and 128 units instead of
        4096 and 256, as the encoder has a third of the features. Any optimizer.
    """
    if not 0 <= target_decay <= 1:
        raise InputError(f"target_decay {target_decay} is not in [0, 1].")
    if decay_steps < 0:
        raise InputError(f"decay_steps {decay_steps} is below 0. Use 0 for constant.")
    encoder, num_classes = model.clone(num_classes=0), model.num_classes
    network = Network(encoder, num_classes, hidden, project)
    optimizer = separate_probe(optimizer)

    def init(key: jax.Array, inputs: Inputs) -> TrainState:
        variables = network.init(key, inputs, train=False)
        params, batch_stats = variables["params"], variables["batch_stats"]
        step = jnp.zeros((), jnp.int32)
        # Copies, as a donated buffer cannot occur twice in the state.
        target = jax.tree.map(jnp.copy, (params, batch_stats))
        opt_state = optimizer.init(params)
        return TrainState(step, params, batch_stats, opt_state, *target)

    def loss_fn(params, target_params, statistics, key, rows):
        first, second, label, weight_label, weight = rows
        both = interleave_views(first, second)
        (output, online), (target_output, target) = (
            network.apply(
                {"params": network_params, "batch_stats": network_statistics},
                both,
                train=True,
                rngs={"dropout": jax.random.fold_in(key, number)},
                mutable=["batch_stats"],
            )
            for number, (network_params, network_statistics) in enumerate(
                zip((params, target_params), statistics, strict=True)
            )
        )
        z_target = jax.lax.stop_gradient(target_output.aux["projection"])
        compared = output.aux["prediction"]
        per_view = losses.similarity(compared, switch_views(z_target))
        agree = losses.weighted_sum(per_view, jnp.repeat(weight, 2))

        label, weight_label = jnp.repeat(label, 2), jnp.repeat(weight_label, 2) / 2
        per_view = losses.cross_entropy(output.logits, label)
        classify = losses.weighted_sum(per_view, weight_label)
        hit = (output.logits.argmax(-1) == label).astype(jnp.float32)
        scalars = {
            "similarity": agree,
            "cross_entropy": classify,
            "accuracy": losses.weighted_sum(hit, weight_label),
        }
        statistics = online["batch_stats"], target["batch_stats"]
        return agree + classify, (statistics, scalars)

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
        key = jax.random.fold_in(jax.random.key(seed), state.step)
        # Rows that pad the batch are masked, so that they enter no batch statistics.
        mask = batch.inputs.epoch_mask & batch.example_mask[:, None]
        inputs = batch.inputs._replace(epoch_mask=mask)
        first = augment(jax.random.fold_in(key, 0), inputs)
        second = augment(jax.random.fold_in(key, 1), inputs)
        weight_label = losses.equal_weight(batch.label_mask & batch.example_mask)
        weight = losses.equal_weight(batch.example_mask)

        (loss, (statistics, scalars)), grads = accumulated(
            partial(
                jax.value_and_grad(loss_fn, has_aux=True),
                state.params,
                state.target_params,
            ),
            (state.batch_stats, state.target_batch_stats),
            jax.random.fold_in(key, 2),
            (first, second, batch.label, weight_label, weight),
            parts=gradient_accumulation,
        )
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)

        tau = jnp.float32(target_decay)
        if decay_steps:
            progress = jnp.minimum(state.step / decay_steps, 1)
            tau = 1 - (1 - target_decay) * (1 + jnp.cos(jnp.pi * progress)) / 2
        # The step_size of optax is the weight of the *new* values: 1 - tau.
        target = optax.incremental_update(params, state.target_params, 1 - tau)
        batch_stats, target_stats = statistics
        state = TrainState(
            state.step + 1, params, batch_stats, opt_state, target, target_stats
        )
        scalars |= {"grad_norm": optax.tree.norm(grads), "target_decay": tau}
        return state, {"loss": loss, **scalars}

    def predict(state: TrainState, inputs: Inputs) -> ModelOutput:
        variables = {"params": state.params, "batch_stats": state.batch_stats}
        return network.apply(variables, inputs, train=False)

    return Method(init, step, predict, inputs=(Series, LightCurve))
