"""Semiconformer: labels and agreement with an EMA target network, at once."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Integer

from jaxastro import losses
from jaxastro.augment import interleave_views, switch_views
from jaxastro.errors import InputError
from jaxastro.training.gradient_accumulation import accumulated
from jaxastro.types import Batch, Inputs, Method, ModelOutput, TrainState

TARGET_STATISTICS = ("own", "ema", "copy")


class Network(nn.Module):
    """A model's encoder with the two projection heads and the class layer.

        y = g(inputs);  z = f_similarity(y);  p = q(f_class(y))

    With `predictor`, r(z) is there to be compared, with a target that has no r.

    Source: Bairouk 2023, thesis, Sect. 5.2.1 and 5.2.2; sizes: published code;
        predictor: Grill et al. 2020, arXiv 2006.07733, Sect. 3.1.
    Differs: the predictor has no batch norm, as the projections have none.
    """

    encoder: nn.Module  # a model with num_classes = 0
    num_classes: int
    hidden: int
    project: int
    dropout: float
    predictor: bool = False

    @nn.compact
    def __call__(self, inputs: Inputs, *, train: bool) -> ModelOutput:
        output = self.encoder(inputs, train=train)
        sizes = (self.hidden, self.project, self.dropout)
        for_class = Projection(*sizes, name="project_class")(output.embedding, train)
        for_similarity = Projection(*sizes, name="project_similarity")
        z = for_similarity(output.embedding, train)
        logits = nn.Dense(self.num_classes, name="logits")(for_class)
        aux = {**output.aux, "projection": z}
        if self.predictor:
            predict = Projection(self.hidden, self.project, 0.0, name="predictor")
            aux["prediction"] = predict(z, train)
        return ModelOutput(logits, for_class, aux)


class Projection(nn.Module):
    """Two dense layers with relu and dropout between.

    Source: Bairouk 2023, thesis, Sect. 5.2.2; 648 -> 256 -> 128: published code.
    Differs: none.
    """

    hidden: int
    project: int
    dropout: float

    @nn.compact
    def __call__(self, x: Float[Array, "b d"], train: bool) -> Float[Array, "b p"]:
        x = nn.relu(nn.Dense(self.hidden, name="hidden")(x))
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        return nn.Dense(self.project, name="out")(x)


def semiconformer(
    model,
    optimizer: optax.GradientTransformation,
    augment,
    *,
    seed: int | Integer[Array, ""],
    target_decay: float = 0.99,
    target_statistics: str = "own",
    similarity_weight: float = 1.0,
    symmetric: bool = True,
    predictor: bool = False,
    label_smoothing: float = 0.0,
    hidden: int = 256,
    project: int = 128,
    dropout: float = 0.3,
    gradient_accumulation: int = 1,
) -> Method:
    """Returns the method that learns from labels and from agreement of two views.

        loss = sum over both directions of CE(p(v), label) + |z(v) - sg(z_target(v'))|^2
        target <- tau target + (1 - tau) online,  after each optimizer step

    Objects without a label contribute the similarity alone.

    Args:
        target_decay: tau, the weight of the old target.
        target_statistics: the target's batch statistics. "own": it normalises by its
            batch and keeps running statistics of its own, as BYOL. "ema": it
            normalises by running statistics that follow the online network's with
            tau. "copy": by those of the online network.
        similarity_weight: 0 leaves two views with cross-entropy; the target is then
            not asked.
        symmetric: False keeps the first direction alone, of both terms: Eqs. 5.1 and
            5.2 without their tilde. The second view is then the target's.
        predictor: puts a network of two dense layers before the comparison, on the
            online side only. Without one, agreement is soon complete.
        gradient_accumulation: parts that a batch is computed in, one after the other.
            Each is normalised by its own batch statistics, and updates the running.
    Source: Bairouk 2023, thesis, Eqs. 5.1 to 5.4 and Fig. 5.1; policy of the batch
        statistics: Grill et al. 2020, published code of BYOL.
    Differs: the target starts as a copy of the online network; each term is a mean
        over the objects it applies to; both views pass as one batch, so that batch
        statistics are those of both.
    """
    if target_statistics not in TARGET_STATISTICS:
        raise InputError(
            f"No policy {target_statistics!r} for the target's batch statistics. "
            f"Known: {', '.join(TARGET_STATISTICS)}."
        )
    if not 0 <= target_decay <= 1:
        raise InputError(f"target_decay {target_decay} is not in [0, 1].")
    network = Network(
        model.clone(num_classes=0),
        model.num_classes,
        hidden,
        project,
        dropout,
        predictor,
    )
    views = 2 if symmetric else 1  # that the online network sees, and the target

    def init(key: jax.Array, inputs: Inputs) -> TrainState:
        variables = network.init(key, inputs, train=False)
        params, batch_stats = variables["params"], variables.get("batch_stats", {})
        step = jnp.zeros((), jnp.int32)
        # Copies, for a donated buffer cannot stand in the state twice.
        target = jax.tree.map(jnp.copy, (params, batch_stats))
        opt_state = optimizer.init(params)
        return TrainState(step, params, batch_stats, opt_state, *target)

    def loss_fn(params, target_params, statistics, key, rows):
        first, second, label, weight_label, weight = rows
        near, far = (
            (interleave_views(first, second),) * 2 if symmetric else (first, second)
        )
        batch_stats, target_batch_stats = statistics
        output, online = network.apply(
            {"params": params, "batch_stats": batch_stats},
            near,
            train=True,
            rngs={"dropout": jax.random.fold_in(key, 0)},
            mutable=["batch_stats"],
        )
        label, weight_label = jnp.repeat(label, views), jnp.repeat(weight_label, views)
        per_view = losses.cross_entropy(output.logits, label, label_smoothing)
        classify = losses.weighted_sum(per_view, weight_label)
        hit = (output.logits.argmax(-1) == label).astype(jnp.float32)
        accuracy = losses.weighted_sum(hit, weight_label) / views
        scalars = {"cross_entropy": classify, "accuracy": accuracy}
        if not similarity_weight:
            return classify, ((online["batch_stats"], target_batch_stats), scalars)

        target_output, target = network.apply(
            {"params": target_params, "batch_stats": target_batch_stats},
            far,
            train=target_statistics == "own",
            rngs={"dropout": jax.random.fold_in(key, 1)},
            mutable=["batch_stats"],
        )
        # Not needed, as gradients are taken of params alone; it says what is meant.
        z_target = jax.lax.stop_gradient(target_output.aux["projection"])
        compared_with = switch_views(z_target) if symmetric else z_target
        compared = output.aux["prediction" if predictor else "projection"]
        per_view = losses.similarity(compared, compared_with)
        agree = losses.weighted_sum(per_view, jnp.repeat(weight, views))
        scalars["similarity"] = agree
        statistics = online["batch_stats"], target["batch_stats"]
        return classify + similarity_weight * agree, (statistics, scalars)

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
        key = jax.random.fold_in(jax.random.key(seed), state.step)
        first = augment(jax.random.fold_in(key, 0), batch.inputs)
        second = augment(jax.random.fold_in(key, 1), batch.inputs)
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

        # optax's step_size is the weight of the *new* values: 1 - tau.
        follow = 1 - target_decay
        target_params = optax.incremental_update(params, state.target_params, follow)
        batch_stats, target_stats = statistics
        if target_statistics == "ema":
            old = state.target_batch_stats
            target_stats = optax.incremental_update(batch_stats, old, follow)
        elif target_statistics == "copy":
            target_stats = batch_stats
        state = TrainState(
            state.step + 1, params, batch_stats, opt_state, target_params, target_stats
        )
        norm = optax.tree.norm(grads)
        return state, {"loss": loss, **scalars, "grad_norm": norm}

    def predict(state: TrainState, inputs: Inputs) -> ModelOutput:
        variables = {"params": state.params, "batch_stats": state.batch_stats}
        return network.apply(variables, inputs, train=False)

    return Method(init, step, predict)
