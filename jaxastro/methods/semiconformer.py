"""Semiconformer: classification and agreement with an EMA target network."""

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
    """The encoder of a model with two projection heads and a class layer.

        y = g(inputs);  z = f_similarity(y);  p = q(f_class(y))

    With `predictor`, the output r(z) is compared with the projection of the target.

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
    """Two dense layers with relu and dropout between them.

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
    """Returns the method that trains on labels and on the agreement of two views.

        loss = sum over both directions of CE(p(v), label) + |z(v) - sg(z_target(v'))|^2
        target <- tau target + (1 - tau) online,  after each optimizer step

    Objects without a label contribute to the similarity only.

    Args:
        target_decay: tau, the weight of the old target.
        target_statistics: batch statistics of the target. "own": it normalises by its
            batch and has its own running statistics, as in BYOL. "ema": it normalises
            by an EMA, with tau, of the running statistics of the online network.
            "copy": by the running statistics of the online network.
        similarity_weight: weight of the similarity. With 0 the target is not computed,
            and training is on the cross-entropy of two views.
        symmetric: False keeps only the first direction of both terms: Eqs. 5.1 and 5.2
            without their tilde. The second view is then for the target only.
        predictor: adds two dense layers to the online network before the comparison.
            Without them the projection collapses soon.
        label_smoothing: of the cross-entropy, in [0, 1).
        hidden: units of the hidden layers of the projections and the predictor.
        project: units of the projections.
        dropout: rate between the layers of the projections.
        gradient_accumulation: number of parts in which a batch is computed. Each part
            is normalised by its own statistics and updates the running statistics.
    Raises:
        InputError: if an argument is out of range.
    Source: Bairouk 2023, thesis, Eqs. 5.1 to 5.4 and Fig. 5.1; policy of the batch
        statistics: Grill et al. 2020, published code of BYOL.
    Differs: the target is initialised as a copy of the online network. Each term is a
        mean over the objects to which it applies. Both views are one batch, with joint
        batch statistics.
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
    views = 2 if symmetric else 1  # per object, for the online and the target network

    def init(key: jax.Array, inputs: Inputs) -> TrainState:
        variables = network.init(key, inputs, train=False)
        params, batch_stats = variables["params"], variables.get("batch_stats", {})
        step = jnp.zeros((), jnp.int32)
        # Copies, as a donated buffer cannot occur twice in the state.
        target = jax.tree.map(jnp.copy, (params, batch_stats))
        opt_state = optimizer.init(params)
        return TrainState(step, params, batch_stats, opt_state, *target)

    def loss_fn(params, target_params, statistics, key, rows):
        first, second, label, weight_label, weight = rows
        both = interleave_views(first, second) if symmetric else None
        batch_stats, target_batch_stats = statistics
        output, online = network.apply(
            {"params": params, "batch_stats": batch_stats},
            both if symmetric else first,
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
            both if symmetric else second,
            train=target_statistics == "own",
            rngs={"dropout": jax.random.fold_in(key, 1)},
            mutable=["batch_stats"],
        )
        # Not necessary, as the gradient is with respect to params; it shows the intent.
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

        # The step_size of optax is the weight of the *new* values: 1 - tau.
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
