"""SuperNNova: a recurrent network over nights, with optional Bayesian weights."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import traverse_util
from jaxtyping import Array, Bool, Float

from jaxastro.errors import InputError
from jaxastro.layers import bayes
from jaxastro.layers.night_features import night_features
from jaxastro.layers.pooling import mean_over_time
from jaxastro.layers.recurrent import Recurrent
from jaxastro.models.requirements import Requirements, check_merged_bands
from jaxastro.types import LightCurve, ModelOutput, Task

FORMS = ("plain", "variational", "bayes")
POINT_ESTIMATE = ("logits", "bias")  # the only weights without a distribution


class SuperNNova(Requirements, nn.Module):
    """Classifies a light curve by the mean state of an LSTM over its nights.

    Two of the three forms sample networks: one in training, `num_draws` in prediction.
        variational  dropout also in prediction, constant in time, also of LSTM weights
        bayes        every weight is normally distributed, except the bias of the logits
        p = mean over samples of softmax(logits),  spread = their standard deviation
    Predictions use the same sampled networks for all objects and at every call, so they
    depend on the light curve only. There are 44,804 parameters for five bands and four
    classes, 89,604 with "bayes".

    Returns:  logits log(p). aux has "spread" [b c] in prediction if networks are
        sampled; with "bayes" in training "divergence" [b], log q - log p of the sampled
        weights, for the loss.
    Source: Moller & de Boissiere 2020, MNRAS 491, 4277; Gal & Ghahramani 2016, arXiv
        1512.05287; Fortunato et al. 2017, arXiv 1704.02798; sizes: published code.
    Differs: nights as in layers/night_features.py. Samples are the same for all
        objects, and their mean is used, not their median. Dropout of LSTM weights drops
        rows of the state in both directions; the published code drops gates in one.
        Means of the weights are initialised as those of "plain". The prior is a mixture
        for each weight, and there is dropout too.
    """

    num_classes: int
    form: str = "plain"
    hidden: int = 32  # units of each layer in each direction
    num_layers: int = 2
    bands: int = 5  # number of bands of the survey
    longest: float = 0.33  # days from the first epoch of a night to its last
    dropout: float = 0.05
    num_draws: int = 50  # networks that are sampled in prediction

    inputs = LightCurve
    any_length = True

    def check(self, task: Task) -> None:
        super().check(task)
        check_merged_bands(task, self.bands)

    @nn.compact
    def __call__(self, inputs: LightCurve, *, train: bool) -> ModelOutput:
        if self.form not in FORMS:
            raise InputError(f"No form {self.form!r}. Known: {', '.join(FORMS)}.")
        if self.num_draws < 1:
            raise InputError(f"num_draws {self.num_draws}. Use 1 or more.")
        rows, mask = night_features(inputs, self.bands, self.longest)
        network = _Network(
            self.num_classes,
            self.hidden,
            self.num_layers,
            self.dropout,
            locked=self.form == "variational",
            parent=None,
        )

        def init(key):
            return network.init(key, rows, mask, "never")["params"]

        mean = self.param("network", init)
        if self.form == "bayes":
            rho = self.param("rho", _initial_rho, mean)

        def sample(key):
            keys, weights, divergence = jax.random.split(key), mean, 0.0
            if self.form == "bayes":
                flat, flat_rho = map(traverse_util.flatten_dict, (mean, rho))
                fixed = {POINT_ESTIMATE: flat.pop(POINT_ESTIMATE)}
                sampled, divergence = bayes.sample_weights(keys[0], flat, flat_rho)
                weights = traverse_util.unflatten_dict(sampled | fixed)
            elif self.form == "variational":
                weights = _dropped(keys[0], mean, self.dropout)
            drop = "each" if train else "all"
            if self.form != "variational" and not train:
                drop = "never"
            logits, embedding = network.apply(
                {"params": weights}, rows, mask, drop, rngs={"dropout": keys[1]}
            )
            return logits, embedding, jnp.full(rows.shape[0], divergence)

        if train or self.form == "plain":
            key = self.make_rng("dropout") if train else jax.random.key(0)
            logits, embedding, divergence = sample(key)
            aux = {"divergence": divergence} if self.form == "bayes" else {}
            return ModelOutput(logits, embedding, aux)
        keys = jax.random.split(jax.random.key(0), self.num_draws)
        logits, embedding, _ = jax.vmap(sample)(keys)
        log_p = jax.nn.log_softmax(logits)
        mean_log = jax.nn.logsumexp(log_p, axis=0) - jnp.log(self.num_draws)
        spread = jnp.exp(log_p).std(0)
        return ModelOutput(mean_log, embedding.mean(0), {"spread": spread})


class _Network(nn.Module):
    num_classes: int
    hidden: int
    num_layers: int
    dropout: float
    locked: bool  # dropout also of the input, and constant in time

    @nn.compact
    def __call__(
        self, x: Float[Array, "b t d"], mask: Bool[Array, "b t"], drop: str
    ) -> tuple[Float[Array, "b c"], Float[Array, "b h"]]:
        """Returns logits and embedding.

        Args:
            x: features of nights.
            mask: True where there is a night.
            drop: dropout "never", for "each" object, or the same for "all" objects.
        """

        def dropped(x, name):
            is_shared = drop == "all", self.locked and x.ndim == 3  # by objects, times
            shared = tuple(axis for axis in (0, 1) if is_shared[axis])
            dropout = nn.Dropout(self.dropout, broadcast_dims=shared, name=name)
            return dropout(x, deterministic=drop == "never")

        for i in range(self.num_layers):
            if i or self.locked:
                x = dropped(x, f"dropout_{i}")
            x, _ = Recurrent("lstm", self.hidden, name=f"lstm_{i}")(x, mask)
        pooled = mean_over_time(x, mask)
        logits = nn.Dense(self.num_classes, name="logits")
        return logits(dropped(pooled, "dropout")), pooled


def _initial_rho(key, mean: dict) -> dict:
    flat = traverse_util.flatten_dict(mean)
    del flat[POINT_ESTIMATE]
    keys = jax.random.split(key, len(flat))
    pairs = zip(keys, flat.items(), strict=True)
    rho = {name: bayes.initial_rho(key, value.shape) for key, (name, value) in pairs}
    return traverse_util.unflatten_dict(rho)


def _dropped(key, weights: dict, rate: float) -> dict:
    """Drops rows of the recurrent weights of the LSTMs, the same at all times."""
    flat = traverse_util.flatten_dict(weights)
    for i, (name, value) in enumerate(sorted(flat.items())):
        if name[-1].startswith("kernel_hidden"):
            shape = (value.shape[0], 1)
            keep = jax.random.bernoulli(jax.random.fold_in(key, i), 1 - rate, shape)
            flat[name] = jnp.where(keep, value / (1 - rate), 0)
    return traverse_util.unflatten_dict(flat)
