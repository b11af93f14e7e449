"""SuperNNova: a recurrent network on nights, plain or with uncertain weights."""

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
CERTAIN = ("logits", "bias")  # the one array that has no spread


class SuperNNova(Requirements, nn.Module):
    """Classifies a light curve by the mean state of an LSTM over its nights.

    Two of the three forms draw networks, one in training and `num_draws` in predicting:
        variational  dropout always, the same at all times, also of the LSTM's weights
        bayes        every weight is a normal law, but for the classifier's bias
        p = mean over draws of softmax(logits),  spread = their standard deviation
    A draw is one network for all objects, and always the same: predictions are a
    function of the light curve alone. With five bands and four classes 44,804
    parameters, in the last form 89,604.

    Returns:  logits log(p); aux "spread" [b c] where networks are drawn, and of bayes
        "divergence" [b], the draw's log q - log p, for the loss.
    Source: Moller & de Boissiere 2020, MNRAS 491, 4277; Gal & Ghahramani 2016, arXiv
        1512.05287; Fortunato et al. 2017, arXiv 1704.02798; sizes: published code.
    Differs: nights as in layers/night_features.py; draws are the same for all objects,
        and their mean is told, not their median; dropped weights are those of a state's
        number, in both directions, where the published code drops those of a gate's,
        in one; uncertain weights start as the plain ones do, the prior is mixed for
        each of them, and there is dropout beside them.
    """

    num_classes: int
    form: str = "plain"
    hidden: int = 32  # units of a layer in each direction
    num_layers: int = 2
    bands: int = 5  # of the survey
    longest: float = 0.33  # days from a night's first epoch to its last
    dropout: float = 0.05
    num_draws: int = 50  # of networks, to predict

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
            raise InputError(f"num_draws {self.num_draws}. Draw one network or more.")
        rows, mask = night_features(inputs, self.bands, self.longest)
        network = _Network(
            *(self.num_classes, self.hidden, self.num_layers, self.dropout),
            locked=self.form == "variational",
            parent=None,
        )
        start = network.init
        mean = self.param("network", lambda k: start(k, rows, mask, "never")["params"])
        if self.form == "bayes":
            rho = self.param("rho", _first_rho, mean)

        def of_draw(key):
            keys, weights, divergence = jax.random.split(key), mean, 0.0
            if self.form == "bayes":
                flat, flat_rho = map(traverse_util.flatten_dict, (mean, rho))
                sure = {CERTAIN: flat.pop(CERTAIN)}
                drawn, divergence = bayes.sample_weights(keys[0], flat, flat_rho)
                weights = traverse_util.unflatten_dict(drawn | sure)
            elif self.form == "variational":
                weights = _dropped(keys[0], mean, self.dropout)
            how = "each" if train else "all"
            if self.form != "variational" and not train:
                how = "never"
            rngs = {"dropout": keys[1]}
            found = network.apply({"params": weights}, rows, mask, how, rngs=rngs)
            return *found, jnp.full(len(rows), divergence)

        if train or self.form == "plain":
            key = self.make_rng("dropout") if train else jax.random.key(0)
            logits, embedding, divergence = of_draw(key)
            aux = {"divergence": divergence} if self.form == "bayes" else {}
            return ModelOutput(logits, embedding, aux)
        keys = jax.random.split(jax.random.key(0), self.num_draws)
        logits, embedding, _ = jax.vmap(of_draw)(keys)
        log_p = jax.nn.log_softmax(logits)
        mean_log = jax.nn.logsumexp(log_p, axis=0) - jnp.log(self.num_draws)
        spread = jnp.exp(log_p).std(0)
        return ModelOutput(mean_log, embedding.mean(0), {"spread": spread})


class _Network(nn.Module):
    num_classes: int
    hidden: int
    num_layers: int
    dropout: float
    locked: bool  # dropout of the input too, and the same at all times

    @nn.compact
    def __call__(
        self, x: Float[Array, "b t d"], mask: Bool[Array, "b t"], drop: str
    ) -> tuple[Float[Array, "b c"], Float[Array, "b h"]]:
        """Takes whom dropout treats alike: "never", "each" object, "all" objects."""

        def dropped(x, name):
            same = drop == "all", self.locked and x.ndim == 3  # objects, times
            same = tuple(axis for axis in (0, 1) if same[axis])
            dropout = nn.Dropout(self.dropout, broadcast_dims=same, name=name)
            return dropout(x, deterministic=drop == "never")

        for i in range(self.num_layers):
            if i or self.locked:
                x = dropped(x, f"dropout_{i}")
            x, _ = Recurrent("lstm", self.hidden, name=f"lstm_{i}")(x, mask)
        pooled = mean_over_time(x, mask)
        logits = nn.Dense(self.num_classes, name="logits")
        return logits(dropped(pooled, "dropout")), pooled


def _first_rho(key, mean: dict) -> dict:
    flat = traverse_util.flatten_dict(mean)
    del flat[CERTAIN]
    keys = jax.random.split(key, len(flat))
    pairs = zip(keys, flat.items(), strict=True)
    rho = {name: bayes.initial_rho(key, value.shape) for key, (name, value) in pairs}
    return traverse_util.unflatten_dict(rho)


def _dropped(key, weights: dict, rate: float) -> dict:
    """Drops rows of the LSTMs' weights from state to state, for all times alike."""
    flat = traverse_util.flatten_dict(weights)
    for i, (name, value) in enumerate(sorted(flat.items())):
        if name[-1].startswith("kernel_hidden"):
            shape = (len(value), 1)
            keep = jax.random.bernoulli(jax.random.fold_in(key, i), 1 - rate, shape)
            flat[name] = jnp.where(keep, value / (1 - rate), 0)
    return traverse_util.unflatten_dict(flat)
