"""Gated recurrent networks over a time series, blind to padded epochs."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxastro.errors import InputError

DIRECTIONS = ("forward", "backward")


def _gru(state, of_input, of_hidden):
    (h,) = state
    r, z, n = jnp.split(of_input, 3, -1)
    r_hidden, z_hidden, n_hidden = jnp.split(of_hidden, 3, -1)
    n = jnp.tanh(n + jax.nn.sigmoid(r + r_hidden) * n_hidden)
    z = jax.nn.sigmoid(z + z_hidden)
    return ((1 - z) * n + z * h,)


def _lstm(state, of_input, of_hidden):
    _, c = state
    i, f, g, o = jnp.split(of_input + of_hidden, 4, -1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


# name: gates, parts of the state, of which the first is what others see, and the step
CELLS = {"gru": (3, 1, _gru), "lstm": (4, 2, _lstm)}


class Recurrent(nn.Module):
    """Reads series epoch by epoch, in one or both directions of time.

    A padded epoch, wherever it is, leaves the state as it was: the forward state after
    the last place is that after the last observed epoch, and the backward direction
    starts at the last observed epoch. Without any, states are 0.
        GRU     r, z = sigmoid(W x + b_in + U h + b_hidden)
                n = tanh(W x + b_in + r (U h + b_hidden));  h = (1 - z) n + z h
        LSTM    i, f, o = sigmoid(..), g = tanh(..) of W x + b_in + U h + b_hidden
                c = f c + i g;  h = o tanh(c)

    Returns:  the state at every epoch [b t d] and the last of each direction [b d],
        forward before backward. At a padded epoch, the state that is carried past it.
    Source: Cho et al. 2014, arXiv 1406.1078, for the GRU; Hochreiter & Schmidhuber
        1997, Neural Computation 9, 1735, for the LSTM.
    Differs: two biases for each set of gates, the GRU's reset gate after the product,
        and the start, uniform in +-1/sqrt(hidden): as torch.nn.GRU and torch.nn.LSTM.
    """

    cell: str  # "gru" or "lstm"
    hidden: int  # units of the state of one direction
    num_layers: int = 1  # each above the first reads the states of the one below
    bidirectional: bool = True

    @nn.compact
    def __call__(
        self, x: Float[Array, "b t i"], epoch_mask: Bool[Array, "b t"]
    ) -> tuple[Float[Array, "b t d"], Float[Array, "b d"]]:
        if self.cell not in CELLS:
            raise InputError(f"No cell named {self.cell!r}. Known: {', '.join(CELLS)}.")
        if self.num_layers < 1:
            raise InputError(f"num_layers {self.num_layers}. Give at least one layer.")
        for i in range(self.num_layers):
            layer = _Layer(
                self.cell, self.hidden, self.bidirectional, name=f"layer_{i}"
            )
            states = layer(x, epoch_mask)
            x = jnp.concatenate(states, -1).astype(x.dtype)
        ends = (-1, 0)[: len(states)]  # where each direction arrives
        last = [state[:, end] for state, end in zip(states, ends, strict=True)]
        return jnp.concatenate(states, -1), jnp.concatenate(last, -1)


class _Layer(nn.Module):
    cell: str
    hidden: int
    bidirectional: bool

    @nn.compact
    def __call__(
        self, x: Float[Array, "b t i"], epoch_mask: Bool[Array, "b t"]
    ) -> list[Float[Array, "b t h"]]:
        num_gates, num_parts, next_state = CELLS[self.cell]
        directions = DIRECTIONS[: 1 + self.bidirectional]
        wide = jnp.promote_types(x.dtype, jnp.float32)  # of states, whatever products'

        def weights(name, *shape):
            return [self.param(f"{name}_{d}", self._uniform, shape) for d in directions]

        width = num_gates * self.hidden
        kernel_in = weights("kernel_in", x.shape[-1], width)
        kernel = weights("kernel_hidden", self.hidden, width)
        bias_in, bias = weights("bias_in", width), weights("bias_hidden", width)

        def dot(x, kernel):
            kernel = kernel.astype(x.dtype)
            return jnp.dot(x, kernel, preferred_element_type=wide)

        # What a padded epoch holds must not matter, nor teach: NaN times 0 is NaN.
        rows = jnp.swapaxes(jnp.where(epoch_mask[..., None], x, 0), 0, 1)
        # All epochs in one product: the loop is left with those of the states.
        gates = dot(rows, jnp.concatenate(kernel_in, -1)) + jnp.concatenate(bias_in)
        gates = jnp.split(gates, len(directions), -1)
        seen = [epoch_mask.T[..., None]] * len(directions)

        def next_of_one(state, gates, seen, kernel, bias):
            new = next_state(state, gates, dot(state[0].astype(x.dtype), kernel) + bias)
            return tuple(
                jnp.where(seen, *pair) for pair in zip(new, state, strict=True)
            )

        def step(states, epoch):
            states = [*map(next_of_one, states, *epoch, kernel, bias)]
            return states, [state[0] for state in states]

        # Both directions in one loop, of half as many steps, and a product for each:
        # one product batched over both is slower on CPU.
        zero = (jnp.zeros((len(x), self.hidden), wide),) * num_parts
        epochs = (_in_order_read(gates), _in_order_read(seen))
        _, states = jax.lax.scan(step, [zero] * len(directions), epochs)
        return [jnp.swapaxes(state, 0, 1) for state in _in_order_read(states)]

    def _uniform(self, key, shape):
        limit = self.hidden**-0.5
        return jax.random.uniform(key, shape, minval=-limit, maxval=limit)


def _in_order_read(each: list[Array]) -> list[Array]:
    """Returns [t ..] of each direction, the second's, which reads backward, turned."""
    return [*each[:1], *(jnp.flip(a, 0) for a in each[1:])]
