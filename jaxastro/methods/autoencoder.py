"""Auto-encoders of stamps: a code to draw them again from, without labels."""

import math
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Integer, Key

from jaxastro import losses
from jaxastro.errors import InputError
from jaxastro.layers.alerts import single_alert
from jaxastro.layers.mixture import WIDEST, Mixture
from jaxastro.layers.stamp_decoder import StampDecoder
from jaxastro.training.self_supervised import self_supervised
from jaxastro.types import Alerts, Method, ModelOutput, TrainState

LIKELIHOODS = ("gaussian", "bernoulli")
PRIORS = ("none", "normal", "mixture")
FINEST = 1e-3  # deviation of a stamp from what is drawn, of the range of its pixels
KEPT = 0.9  # of the noise so far, at each step


class Network(nn.Module):
    """A model's encoder, a code, what is drawn from it, and a probe of what it knows.

        mean, log variance = dense(encoder(inputs))
        code = mean + exp(log variance / 2) normal   in training, else the mean
        drawn = decoder(code);  logits = probe(sg(mean))
        noise^2 = mean over objects and pixels of (stamps - drawn)^2

    The mean is the embedding. aux has "reconstruction" [b y x c], as pixels,
    "negative_log_likelihood" [b], -log p(stamps | code) in nats per pixel, of a
    gaussian under the noise of the batch in training, else that of training so far;
    with a prior "log_variance" [b d] and "divergence" [b], of the code's distribution
    from it, in the same unit; the sum of the two, "negative_elbo" [b]; with a mixture
    "log_cluster" [b k], log p(cluster | code).

    Source: Kingma & Welling 2014, arXiv 1312.6114, Sect. 2; the noise is the likeliest,
        in closed form, as in Rybkin et al. 2021, arXiv 2006.13202, Sect. 3.3. Mixture:
        layers/mixture.py.
    Differs: a noise for each of the three stamps.
    """

    encoder: nn.Module  # a model with num_classes = 0
    num_classes: int
    latent: int
    prior: str
    clusters: int
    likelihood: str
    widths: tuple[int, int]

    @nn.compact
    def __call__(self, inputs: Alerts, *, train: bool) -> ModelOutput:
        output = self.encoder(inputs, train=train)
        pixels = single_alert(jnp.asarray(inputs.stamp))
        count = math.prod(pixels.shape[1:])
        mean = code = nn.Dense(self.latent, name="mean")(output.embedding)
        aux = dict(output.aux)
        if self.prior != "none":
            wide = nn.Dense(self.latent, name="log_variance")(output.embedding)
            aux["log_variance"] = wide = jnp.clip(wide, -WIDEST, WIDEST)
            if train:
                luck = jax.random.normal(self.make_rng("dropout"), mean.shape)
                code = mean + jnp.exp(wide / 2) * luck
            if self.prior == "mixture":
                found = Mixture(self.clusters, name="prior")(mean, wide, code)
                aux["log_cluster"], apart = found.log_cluster, found.divergence
            else:
                apart = kl_from_normal(mean, wide)
            aux["divergence"] = apart / count
        drawn = StampDecoder(self.widths, name="decoder")(code, *pixels.shape[-2:])
        depth = pixels.shape[-1:]
        kept = self.variable("batch_stats", "log_noise", jnp.zeros, depth)
        log_noise = kept.value
        if train:
            seen = inputs.epoch_mask.any(1)
            log_noise = jax.lax.stop_gradient(optimal_log_noise(drawn, pixels, seen))
            kept.value = KEPT * kept.value + (1 - KEPT) * log_noise
        unlike = negative_log_likelihood(drawn, log_noise, pixels, self.likelihood)
        aux["negative_log_likelihood"] = unlike / count
        aux["negative_elbo"] = aux["negative_log_likelihood"] + aux.get("divergence", 0)
        aux["reconstruction"] = as_pixels(drawn, self.likelihood)
        logits = nn.Dense(self.num_classes, name="probe")(jax.lax.stop_gradient(mean))
        return ModelOutput(logits, mean, aux)


class Asked(NamedTuple):
    """The stamps that are to be drawn again.

    Source: ours.
    Differs: nothing to differ from.
    """

    pixels: Float[Array, "b y x c"]
    mask: Bool[Array, "b t"]  # False of rows that fill up a batch


def autoencoder(
    model,
    optimizer: optax.GradientTransformation,
    augment,
    *,
    seed: int | Integer[Array, ""],
    latent: int = 32,
    prior: str = "none",
    clusters: int = 5,
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
    for a normal prior; for none without KL and luck; for a mixture that of `Mixture`.
    At beta = 1 it is the negative evidence lower bound. The probe learns from the
    labels there are, with an optimizer of its own; the code does not feel it.

    Args:
        latent: numbers of a code.
        prior: of codes. "none": a plain auto-encoder; "normal": a variational one;
            "mixture": of Gaussians, which learn with it, a clustering of the codes.
        clusters: of the mixture.
        likelihood: one of LIKELIHOODS.
        beta: weight of KL.
        beta_steps: over which it rises from 0 in a line; 0: at once.
        widths: of the decoder, as the encoder's.
        gradient_accumulation: parts that a batch is computed in, one after the other.
    Source: Kingma & Welling 2014, arXiv 1312.6114; beta: Higgins et al. 2017, ICLR;
        warm-up: Sonderby et al. 2016, arXiv 1602.02282, Sect. 2.3; mixture: Jiang et
        al. 2017, arXiv 1611.05148 (VaDE).
    Differs: per pixel, which changes the size of the loss alone.
    """
    for name, value, known in (
        ("likelihood", likelihood, LIKELIHOODS),
        ("prior", prior, PRIORS),
    ):
        if value not in known:
            raise InputError(f"No {name} {value!r}. Known: {', '.join(known)}.")
    if beta < 0 or beta_steps < 0:
        raise InputError(f"beta {beta}, beta_steps {beta_steps}: neither is below 0.")
    if clusters < 1:
        raise InputError(f"A mixture of {clusters} clusters has none. Use 1 or more.")
    encoder, num_classes = model.clone(num_classes=0), model.num_classes
    code = latent, prior, clusters, likelihood, widths

    def ask(key: Key[Array, ""], view: Alerts) -> tuple[tuple[Alerts], Asked]:
        del key
        return (view,), Asked(single_alert(view.stamp), view.epoch_mask)

    def error(output: ModelOutput, asked: Asked, step) -> dict[str, Float[Array, " b"]]:
        unlike = output.aux["negative_log_likelihood"]
        apart = output.aux.get("divergence", jnp.zeros_like(unlike))
        share = jnp.minimum(1.0, step / beta_steps) if beta_steps else 1.0
        square = jnp.square(output.aux["reconstruction"] - asked.pixels)
        return {
            "error": unlike + beta * share * apart,
            "negative_log_likelihood": unlike,
            "divergence": apart,
            "square_error": square.mean((1, 2, 3)),
        }

    method = self_supervised(
        Network(encoder, num_classes, *code),
        optimizer,
        augment,
        seed=seed,
        ask=ask,
        error=error,
        gradient_accumulation=gradient_accumulation,
    )
    return method._replace(
        scores=("log_likelihood",),
        best_metric="log_likelihood",
        has_latent_space=True,
    )


def optimal_log_noise(
    drawn: Float[Array, "b y x c"],
    pixels: Float[Array, "b y x c"],
    seen: Bool[Array, " b"],
) -> Float[Array, " c"]:
    """Returns the log of the deviation under which what is seen is likeliest.

    Learned as a parameter it would need thousands of steps to fall to what it is, and
    all the while codes would be told to be close to the prior more than to be of use.

    Source: Rybkin et al. 2021, arXiv 2006.13202, Sect. 3.3.
    Differs: no finer than FINEST.
    """
    square = jnp.square(pixels - drawn).mean((1, 2))
    mean = losses.equal_weight(seen) @ square
    return jnp.log(jnp.maximum(mean, FINEST**2)) / 2


def negative_log_likelihood(
    drawn: Float[Array, "b y x c"],
    log_noise: Float[Array, " c"],
    pixels: Float[Array, "b y x c"],
    likelihood: str,
) -> Float[Array, " b"]:
    """Returns -log p(pixels | code) of each object, over all of its pixels.

    Args:
        drawn: means of a gaussian, logits of a bernoulli likelihood.
        log_noise: of the gaussian's deviation; the other has none.
    Source: as `autoencoder`.
    Differs: none.
    """
    if likelihood == "bernoulli":
        each = optax.sigmoid_binary_cross_entropy(drawn, pixels)
    else:
        each = jnp.square((pixels - drawn) * jnp.exp(-log_noise)) / 2
        each += log_noise + math.log(2 * math.pi) / 2
    return each.sum((1, 2, 3))


def kl_from_normal(
    mean: Float[Array, "b d"], log_variance: Float[Array, "b d"]
) -> Float[Array, " b"]:
    """Returns how far each code's distribution is from the normal one, in nats.

    Source: Kingma & Welling 2014, arXiv 1312.6114, Appendix B.
    Differs: none.
    """
    each = jnp.square(mean) + jnp.exp(log_variance) - 1 - log_variance
    return each.sum(-1) / 2


def draw(
    state: TrainState,
    code: Float[Array, "n d"],
    *,
    size: int,
    widths: tuple[int, int],
    likelihood: str,
) -> Float[Array, "n y x c"]:
    """Returns the stamps that a trained decoder draws from codes, as pixels.

    Args:
        size: of the stamps, pixels on a side.
        widths, likelihood: as the method had them.
    Source: as `autoencoder`.
    Differs: none.
    """
    decoder = state.params["decoder"]
    depth = len(decoder["out"]["bias"])
    drawn = StampDecoder(widths).apply({"params": decoder}, code, size, depth)
    return as_pixels(drawn, likelihood)


def set_mixture(
    state: TrainState,
    weight: Float[Array, " k"],
    mean: Float[Array, "k d"],
    variance: Float[Array, "k d"],
) -> TrainState:
    """Returns a state whose prior is the mixture that was fitted to its codes.

    Each code's own distribution starts with a tenth of the mean variance of a cluster:
    codes of a plain auto-encoder have any scale, and are not to be lost in luck. No
    variance starts at the edge of what is allowed, where it would not learn.

    Source: Jiang et al. 2017, arXiv 1611.05148, Sect. 3.3 (the start of the mixture).
    Differs: there the layer of log variances starts at random.
    """
    most = WIDEST - 1
    inside = jnp.clip(jnp.log(variance), -most, most)
    prior = {"score": jnp.log(weight), "mean": mean, "log_variance": inside}
    narrow = jnp.clip(jnp.log(0.1 * variance.mean(0)), -most, most)
    old = state.params["log_variance"]
    wide = {"kernel": jnp.zeros_like(old["kernel"]), "bias": narrow}
    return state._replace(params={**state.params, "prior": prior, "log_variance": wide})


def as_pixels(
    drawn: Float[Array, "b y x c"], likelihood: str
) -> Float[Array, "b y x c"]:
    """Returns what a decoder draws as pixels: of logits the means.

    Source: as `autoencoder`.
    Differs: none.
    """
    return nn.sigmoid(drawn) if likelihood == "bernoulli" else drawn
