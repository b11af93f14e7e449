"""Auto-encoders of stamps: a code to draw them again from, without labels."""

import math
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Integer

from jaxastro import losses
from jaxastro.accumulate import accumulated
from jaxastro.layers.alerts import the_only_alert
from jaxastro.layers.probe import probe_apart
from jaxastro.layers.stamp_decoder import StampDecoder
from jaxastro.types import Alerts, Batch, Method, ModelOutput, TrainState

LIKELIHOODS = ("gaussian", "bernoulli")
WIDEST = 8.0  # of a code's log variance, either way


class Network(nn.Module):
    """A model's encoder, a code, what is drawn from it, and a probe of what it knows.

        mean, log variance = dense(encoder(inputs))
        code = mean + exp(log variance / 2) normal   in training, else the mean
        drawn = decoder(code);  logits = probe(sg(mean))

    The mean is the embedding. aux has "drawn" [b y x c], in the likelihood's terms:
    means, or logits; "reconstruction", the same as pixels; "log_noise" [c], and of a
    variational one "log_variance" [b d].

    Source: Kingma & Welling 2014, arXiv 1312.6114, Sect. 2; the scale of the noise is
        learned, as in Rybkin et al. 2021, arXiv 2006.13202.
    Differs: a scale for each of the three stamps.
    """

    encoder: nn.Module  # a model with num_classes = 0
    num_classes: int
    latent: int
    variational: bool
    likelihood: str
    widths: tuple[int, int]

    @nn.compact
    def __call__(self, inputs: Alerts, *, train: bool) -> ModelOutput:
        output = self.encoder(inputs, train=train)
        mean = code = nn.Dense(self.latent, name="mean")(output.embedding)
        aux = dict(output.aux)
        if self.variational:
            wide = nn.Dense(self.latent, name="log_variance")(output.embedding)
            aux["log_variance"] = wide = jnp.clip(wide, -WIDEST, WIDEST)
            if train:
                luck = jax.random.normal(self.make_rng("dropout"), mean.shape)
                code = mean + jnp.exp(wide / 2) * luck
        size, depth = inputs.stamp.shape[-2:]
        drawn = StampDecoder(self.widths, name="decoder")(code, size, depth)
        aux["log_noise"] = self.param("log_noise", nn.initializers.zeros, (depth,))
        is_pixels = self.likelihood == "gaussian"
        aux["drawn"] = drawn
        aux["reconstruction"] = drawn if is_pixels else nn.sigmoid(drawn)
        logits = nn.Dense(self.num_classes, name="probe")(jax.lax.stop_gradient(mean))
        return ModelOutput(logits, mean, aux)


def autoencoder(
    model,
    optimizer: optax.GradientTransformation,
    augment,
    *,
    seed: int | Integer[Array, ""],
    latent: int = 32,
    variational: bool = False,
    likelihood: str = "gaussian",
    beta: float = 1.0,
    beta_steps: int = 0,
    widths: tuple[int, int] = (32, 64),
    gradient_accumulation: int = 1,
) -> Method:
    """Returns the method that draws stamps again from a code, and learns no label.

        loss = (-log p(stamps | code) + beta KL) / number of pixels
        gaussian   -log p = sum over pixels of (x - drawn)^2 / (2 s^2)
                            + log s + log(2 pi) / 2
        bernoulli  -log p = sum of cross-entropies of sigmoid(drawn), x in [0, 1]
        KL = sum over d of (mean^2 + exp(log variance) - 1 - log variance) / 2
    without KL and luck if not variational. At beta = 1 it is the negative evidence
    lower bound. The probe learns from the labels there are, with an optimizer of its
    own; the code does not feel it.

    Args:
        latent: numbers of a code.
        variational: whether codes are drawn, and kept near a normal distribution.
        likelihood: one of LIKELIHOODS.
        beta: weight of KL.
        beta_steps: over which it rises from 0 in a line; 0: at once.
        widths: of the decoder, as the encoder's.
        gradient_accumulation: parts that a batch is computed in, one after the other.
    Source: Kingma & Welling 2014, arXiv 1312.6114; beta: Higgins et al. 2017, ICLR;
        warm-up: Sonderby et al. 2016, arXiv 1602.02282, Sect. 2.3.
    Differs: per pixel, which changes the size of the loss alone.
    """
    if likelihood not in LIKELIHOODS:
        raise ValueError(
            f"No likelihood {likelihood!r}. Known: {', '.join(LIKELIHOODS)}."
        )
    if beta < 0 or beta_steps < 0:
        raise ValueError(f"beta {beta}, beta_steps {beta_steps}: neither is below 0.")
    encoder, num_classes = model.clone(num_classes=0), model.num_classes
    network = Network(encoder, num_classes, latent, variational, likelihood, widths)
    optimizer = probe_apart(optimizer)

    def init(key: jax.Array, inputs: Alerts) -> TrainState:
        variables = network.init(key, inputs, train=False)
        params, batch_stats = variables["params"], variables.get("batch_stats", {})
        step = jnp.zeros((), jnp.int32)
        return TrainState(step, params, batch_stats, optimizer.init(params), {}, {})

    def loss_fn(params, batch_stats, key, rows):
        inputs, label, weight_label, weight, beta_now = rows
        output, updated = network.apply(
            {"params": params, "batch_stats": batch_stats},
            inputs,
            train=True,
            rngs={"dropout": key},
            mutable=["batch_stats"],
        )
        pixels = the_only_alert(inputs.stamp)
        count = math.prod(pixels.shape[1:])
        unlike = negative_log_likelihood(output, pixels, likelihood) / count
        apart = divergence(output) / count if variational else jnp.zeros(len(pixels))
        told = losses.weighted_sum(unlike + beta_now * apart, weight)
        per_object = losses.cross_entropy(output.logits, label)
        classify = losses.weighted_sum(per_object, weight_label)
        hit = (output.logits.argmax(-1) == label).astype(jnp.float32)
        square = jnp.square(output.aux["reconstruction"] - pixels).mean((1, 2, 3))
        scalars = {
            "negative_log_likelihood": losses.weighted_sum(unlike, weight),
            "divergence": losses.weighted_sum(apart, weight),
            "square_error": losses.weighted_sum(square, weight),
            "cross_entropy": classify,
            "accuracy": losses.weighted_sum(hit, weight_label),
        }
        return told + classify, (updated["batch_stats"], scalars)

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
        key = jax.random.fold_in(jax.random.key(seed), state.step)
        view = augment(jax.random.fold_in(key, 0), batch.inputs)
        seen = batch.example_mask & view.epoch_mask.any(1)
        weight_label = losses.equal_weight(batch.label_mask & batch.example_mask)
        share = jnp.minimum(1.0, state.step / beta_steps) if beta_steps else 1.0
        beta_now = jnp.full(len(seen), beta * share)
        rows = view, batch.label, weight_label, losses.equal_weight(seen), beta_now
        (loss, (batch_stats, scalars)), grads = accumulated(
            partial(jax.value_and_grad(loss_fn, has_aux=True), state.params),
            state.batch_stats,
            jax.random.fold_in(key, 1),
            rows,
            parts=gradient_accumulation,
        )
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        state = TrainState(state.step + 1, params, batch_stats, opt_state, {}, {})
        norm = optax.tree.norm(grads)
        return state, {"loss": loss, **scalars, "grad_norm": norm}

    def predict(state: TrainState, inputs: Alerts) -> ModelOutput:
        variables = {"params": state.params, "batch_stats": state.batch_stats}
        return network.apply(variables, inputs, train=False)

    return Method(init, step, predict)


def negative_log_likelihood(
    output: ModelOutput, pixels: Float[Array, "b y x c"], likelihood: str
) -> Float[Array, " b"]:
    """Returns -log p(pixels | code) of each object, over all of its pixels.

    Source: as `autoencoder`.
    Differs: none.
    """
    drawn = output.aux["drawn"]
    if likelihood == "bernoulli":
        each = optax.sigmoid_binary_cross_entropy(drawn, pixels)
    else:
        log_noise = output.aux["log_noise"]
        each = jnp.square((pixels - drawn) * jnp.exp(-log_noise)) / 2
        each += log_noise + math.log(2 * math.pi) / 2
    return each.sum((1, 2, 3))


def divergence(output: ModelOutput) -> Float[Array, " b"]:
    """Returns how far each code's distribution is from the normal one, in nats.

    Source: Kingma & Welling 2014, arXiv 1312.6114, Appendix B.
    Differs: none.
    """
    mean, wide = output.embedding, output.aux["log_variance"]
    return (jnp.square(mean) + jnp.exp(wide) - 1 - wide).sum(-1) / 2
