"""GRU and LSTM over the observed epochs of a time series."""

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


# name: (number of gates, number of state arrays, step); the first state array is output
CELLS = {"gru": (3, 1, _gru), "lstm": (4, 2, _lstm)}


class Recurrent(nn.Module):
    """Recurrent network over time, in one direction or both.

    Padded epochs, at any place, leave the state unchanged. So the last forward state is
    that after the last observed epoch, and the backward direction starts at the last
    observed epoch. Without observed epochs the states are 0.
        GRU     r, z = sigmoid(W x + b_in + U h + b_hidden)
                n = tanh(W x + b_in + r (U h + b_hidden));  h = (1 - z) n + z h
        LSTM    i, f, o = sigmoid(..), g = tanh(..) of W x + b_in + U h + b_hidden
                c = f c + i g;  h = o tanh(c)

    Returns:  the states at every epoch [b t d] and the last state of each direction
        [b d], forward before backward. At a padded epoch the state is the carried one.
    Source: Cho et al. 2014, arXiv 1406.1078, for the GRU; Hochreiter & Schmidhuber
        1997, Neural Computation 9, 1735, for the LSTM.
    Differs: as torch.nn.GRU and torch.nn.LSTM: two biases per gate, the reset gate of
        the GRU after the product, initial weights uniform in +-1/sqrt(hidden).
    """

    cell: str  # "gru" or "lstm"
    hidden: int  # units of the state in each direction
    num_layers: int = 1  # the input of each layer is the output of the one before
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
        ends = (-1, 0)[: len(states)]  # last epoch of each direction
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
        wide = jnp.promote_types(x.dtype, jnp.float32)  # type of states and sums

        def weights(name, *shape):
            return [self.param(f"{name}_{d}", self._uniform, shape) for d in directions]

        width = num_gates * self.hidden
        kernel_in = weights("kernel_in", x.shape[-1], width)
        kernel = weights("kernel_hidden", self.hidden, width)
        bias_in, bias = weights("bias_in", width), weights("bias_hidden", width)

        def dot(x, kernel):
            kernel = kernel.astype(x.dtype)
            return jnp.dot(x, kernel, preferred_element_type=wide)

        # Padded epochs must not affect results or gradients, and NaN times 0 is NaN.
        rows = jnp.swapaxes(jnp.where(epoch_mask[..., None], x, 0), 0, 1)
        # One product for all epochs; only products of the states remain in the loop.
        gates = dot(rows, jnp.concatenate(kernel_in, -1)) + jnp.concatenate(bias_in)
        gates = jnp.split(gates, len(directions), -1)
        observed = [epoch_mask.T[..., None]] * len(directions)

        def next_in_direction(state, gates, observed, kernel, bias):
            new = next_state(state, gates, dot(state[0].astype(x.dtype), kernel) + bias)
            return tuple(
                jnp.where(observed, *pair) for pair in zip(new, state, strict=True)
            )

        def step(states, epoch):
            states = [*map(next_in_direction, states, *epoch, kernel, bias)]
            return states, [state[0] for state in states]

        # Both directions in one loop, which halves its steps, with a product for each.
        # One product that is batched over both directions is slower on CPU.
        zero = (jnp.zeros((x.shape[0], self.hidden), wide),) * num_parts
        epochs = (_flip_backward(gates), _flip_backward(observed))
        _, states = jax.lax.scan(step, [zero] * len(directions), epochs)
        return [jnp.swapaxes(state, 0, 1) for state in _flip_backward(states)]

    def _uniform(self, key, shape):
        limit = self.hidden**-0.5
        return jax.random.uniform(key, shape, minval=-limit, maxval=limit)


def _flip_backward(directions: list[Array]) -> list[Array]:
    """Reverses the time axis, the first, in the array of the backward direction."""
    return [*directions[:1], *(jnp.flip(a, 0) for a in directions[1:])]
