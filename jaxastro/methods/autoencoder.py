"""Auto-encoders of stamps: plain, variational and with a mixture prior (VaDE)."""

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
SMALLEST_NOISE = 1e-3  # standard deviation of pixels, whose range is 0 to 1
NOISE_DECAY = 0.9  # weight of the old noise in its moving average


class Network(nn.Module):
    """The encoder of a model, a decoder of its code and a linear probe of the code.

        mean, log variance = dense(encoder(inputs))
        code = mean + exp(log variance / 2) * normal   in training, otherwise the mean
        decoded = decoder(code);  logits = probe(sg(mean))
        noise^2 = mean over objects and pixels of (stamps - decoded)^2

    The mean is the embedding. aux has
        "reconstruction" [b y x c]       decoded pixels
        "negative_log_likelihood" [b]    -log p(stamps | code), nats per pixel
        "divergence" [b]                 of the code from the prior, nats per pixel
        "negative_elbo" [b]              the sum of the two
        "log_variance" [b d]             of the code
        "log_cluster" [b k]              log p(cluster | code)
    without a prior no divergence and log_variance, log_cluster with a mixture only. The
    noise of a gaussian likelihood is that of the batch in training, otherwise a moving
    average over training.

    Source: Kingma & Welling 2014, arXiv 1312.6114, Sect. 2; maximum-likelihood noise:
        Rybkin et al. 2021, arXiv 2006.13202, Sect. 3.3. Mixture: layers/mixture.py.
    Differs: separate noise for each of the three stamps.
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
                noise = jax.random.normal(self.make_rng("dropout"), mean.shape)
                code = mean + jnp.exp(wide / 2) * noise
            if self.prior == "mixture":
                found = Mixture(self.clusters, name="prior")(mean, wide, code)
                aux["log_cluster"], divergence = found.log_cluster, found.divergence
            else:
                divergence = kl_from_normal(mean, wide)
            aux["divergence"] = divergence / count
        decoded = StampDecoder(self.widths, name="decoder")(code, *pixels.shape[-2:])
        depth = pixels.shape[-1:]
        average = self.variable("batch_stats", "log_noise", jnp.zeros, depth)
        log_noise = average.value
        if train:
            observed = inputs.epoch_mask.any(1)
            log_noise = jax.lax.stop_gradient(
                optimal_log_noise(decoded, pixels, observed)
            )
            old = NOISE_DECAY * average.value
            average.value = old + (1 - NOISE_DECAY) * log_noise
        nll = negative_log_likelihood(decoded, log_noise, pixels, self.likelihood)
        aux["negative_log_likelihood"] = nll / count
        aux["negative_elbo"] = aux["negative_log_likelihood"] + aux.get("divergence", 0)
        aux["reconstruction"] = as_pixels(decoded, self.likelihood)
        logits = nn.Dense(self.num_classes, name="probe")(jax.lax.stop_gradient(mean))
        return ModelOutput(logits, mean, aux)


class Stamps(NamedTuple):
    """The stamps to reconstruct.

    Source: ours.
    Differs: nothing to differ from.
    """

    pixels: Float[Array, "b y x c"]
    mask: Bool[Array, "b t"]  # False for rows that pad the batch


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
    """Returns the method that trains an auto-encoder of stamps, without labels.

        loss = (-log p(stamps | code) + beta KL) / number of pixels
        gaussian   -log p = sum over pixels of (x - decoded)^2 / (2 s^2)
                            + log s + log(2 pi) / 2
        bernoulli  -log p = sum of cross-entropies of sigmoid(decoded), x in [0, 1]
        normal     KL = sum over d of (mean^2 + variance - 1 - log variance) / 2
        mixture    KL of `Mixture`
        none       no KL, and no noise in the code
    With beta = 1 the loss is the negative evidence lower bound. The labels train the
    probe, with a separate optimizer (`separate_probe`).

    Args:
        latent: dimensions of the code.
        prior: of codes. "none": plain auto-encoder; "normal": variational; "mixture":
            learned Gaussian mixture, a clustering of the codes.
        clusters: components of the mixture.
        likelihood: one of LIKELIHOODS.
        beta: weight of KL.
        beta_steps: steps of a linear warm-up of beta from 0; 0 for none.
        widths: channels of the decoder, in the order of those of the encoder.
        gradient_accumulation: number of parts in which a batch is computed.
    Raises:
        InputError: if an argument is out of range.
    Source: Kingma & Welling 2014, arXiv 1312.6114; beta: Higgins et al. 2017, ICLR;
        warm-up: Sonderby et al. 2016, arXiv 1602.02282, Sect. 2.3; mixture: Jiang et
        al. 2017, arXiv 1611.05148 (VaDE).
    Differs: the loss is per pixel, which changes its scale only.
    """
    for name, value, known in (
        ("likelihood", likelihood, LIKELIHOODS),
        ("prior", prior, PRIORS),
    ):
        if value not in known:
            raise InputError(f"No {name} {value!r}. Known: {', '.join(known)}.")
    if beta < 0 or beta_steps < 0:
        raise InputError(
            f"beta is {beta} and beta_steps {beta_steps}. Use 0 or more for both."
        )
    if clusters < 1:
        raise InputError(f"clusters {clusters} is below 1. A mixture needs at least 1.")
    network = Network(
        model.clone(num_classes=0),
        model.num_classes,
        latent,
        prior,
        clusters,
        likelihood,
        widths,
    )

    def prepare(key: Key[Array, ""], view: Alerts) -> tuple[tuple[Alerts], Stamps]:
        del key
        return (view,), Stamps(single_alert(view.stamp), view.epoch_mask)

    def error(
        output: ModelOutput, stamps: Stamps, step
    ) -> dict[str, Float[Array, " b"]]:
        nll = output.aux["negative_log_likelihood"]
        divergence = output.aux.get("divergence", jnp.zeros_like(nll))
        warm_up = jnp.minimum(1.0, step / beta_steps) if beta_steps else 1.0
        square = jnp.square(output.aux["reconstruction"] - stamps.pixels)
        return {
            "error": nll + beta * warm_up * divergence,
            "negative_log_likelihood": nll,
            "divergence": divergence,
            "square_error": square.mean((1, 2, 3)),
        }

    method = self_supervised(
        network,
        optimizer,
        augment,
        seed=seed,
        prepare=prepare,
        error=error,
        gradient_accumulation=gradient_accumulation,
    )
    return method._replace(
        inputs=(Alerts,),
        scores=("log_likelihood",),
        best_metric="log_likelihood",
        has_latent_space=True,
    )


def optimal_log_noise(
    decoded: Float[Array, "b y x c"],
    pixels: Float[Array, "b y x c"],
    observed: Bool[Array, " b"],
) -> Float[Array, " c"]:
    """Returns the log of the maximum-likelihood standard deviation of the pixels.

    A learned parameter would need thousands of steps to converge. During these the
    prior would dominate the reconstruction.

    Args:
        decoded: output of the decoder.
        pixels: of the stamps.
        observed: True for objects with a stamp.
    Source: Rybkin et al. 2021, arXiv 2006.13202, Sect. 3.3.
    Differs: at least SMALLEST_NOISE.
    """
    square = jnp.square(pixels - decoded).mean((1, 2))
    mean = losses.equal_weight(observed) @ square
    return jnp.log(jnp.maximum(mean, SMALLEST_NOISE**2)) / 2


def negative_log_likelihood(
    decoded: Float[Array, "b y x c"],
    log_noise: Float[Array, " c"],
    pixels: Float[Array, "b y x c"],
    likelihood: str,
) -> Float[Array, " b"]:
    """Returns -log p(pixels | code) of each object, summed over its pixels.

    Args:
        decoded: means of a gaussian, logits of a bernoulli likelihood.
        log_noise: log of the standard deviation of a gaussian; not used otherwise.
        pixels: of the stamps.
        likelihood: one of LIKELIHOODS.
    Source: as `autoencoder`.
    Differs: none.
    """
    if likelihood == "bernoulli":
        per_pixel = optax.sigmoid_binary_cross_entropy(decoded, pixels)
    else:
        per_pixel = jnp.square((pixels - decoded) * jnp.exp(-log_noise)) / 2
        per_pixel += log_noise + math.log(2 * math.pi) / 2
    return per_pixel.sum((1, 2, 3))


def kl_from_normal(
    mean: Float[Array, "b d"], log_variance: Float[Array, "b d"]
) -> Float[Array, " b"]:
    """Returns the divergence of each code from the standard normal prior, in nats.

    Source: Kingma & Welling 2014, arXiv 1312.6114, Appendix B.
    Differs: none.
    """
    terms = jnp.square(mean) + jnp.exp(log_variance) - 1 - log_variance
    return terms.sum(-1) / 2


def decode(
    state: TrainState,
    code: Float[Array, "n d"],
    *,
    size: int,
    widths: tuple[int, int],
    likelihood: str,
) -> Float[Array, "n y x c"]:
    """Decodes stamps from codes, with the decoder of a trained state.

    Args:
        state: of the method `autoencoder`.
        code: latent vectors.
        size: of the stamps, pixels on a side.
        widths: as of the method.
        likelihood: as of the method.
    Source: as `autoencoder`.
    Differs: none.
    """
    decoder = state.params["decoder"]
    depth = decoder["out"]["bias"].shape[0]
    decoded = StampDecoder(widths).apply({"params": decoder}, code, size, depth)
    return as_pixels(decoded, likelihood)


def set_mixture(
    state: TrainState,
    weight: Float[Array, " k"],
    mean: Float[Array, "k d"],
    variance: Float[Array, "k d"],
) -> TrainState:
    """Returns the state with a fitted mixture of its codes as prior.

    The variance of each code is set to a tenth of the mean variance of the clusters, as
    codes of a plain auto-encoder have any scale and unit noise could dominate them.
    Log variances are set inside their limits, where their gradient is not 0.

    Args:
        state: of the method `autoencoder` with prior="mixture".
        weight: of each cluster.
        mean: of each cluster.
        variance: of each cluster along each dimension.
    Source: Jiang et al. 2017, arXiv 1611.05148, Sect. 3.3 (initialisation of the
        mixture).
    Differs: in the source the layer of log variances is initialised at random.
    """
    most = WIDEST - 1
    inside = jnp.clip(jnp.log(variance), -most, most)
    prior = {"score": jnp.log(weight), "mean": mean, "log_variance": inside}
    narrow = jnp.clip(jnp.log(0.1 * variance.mean(0)), -most, most)
    old = state.params["log_variance"]
    wide = {"kernel": jnp.zeros_like(old["kernel"]), "bias": narrow}
    return state._replace(params={**state.params, "prior": prior, "log_variance": wide})


def as_pixels(
    decoded: Float[Array, "b y x c"], likelihood: str
) -> Float[Array, "b y x c"]:
    """Returns decoded pixels: for a bernoulli likelihood the sigmoid of the logits.

    Source: as `autoencoder`.
    Differs: none.
    """
    return nn.sigmoid(decoded) if likelihood == "bernoulli" else decoded
