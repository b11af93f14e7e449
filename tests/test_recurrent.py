import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxastro.layers.recurrent import CELLS, Recurrent

EPOCHS, DEPTH, HIDDEN = 5, 3, 4
MASKS = st.lists(
    st.lists(st.booleans(), min_size=EPOCHS, max_size=EPOCHS), min_size=2, max_size=2
).map(np.array)


def make_x(seed=0, objects=2):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(objects, EPOCHS, DEPTH)).astype(np.float32)


@functools.cache
def make(cell, num_layers=2, bidirectional=True, dtype="float32"):
    """A network, its parameters and its jitted states."""
    network = Recurrent(cell, HIDDEN, num_layers, bidirectional)
    x, mask = jnp.array(make_x(), dtype), jnp.ones((2, EPOCHS), bool)
    variables = network.init(jax.random.key(3), x, mask)
    return network, variables["params"], jax.jit(network.apply)


@functools.cache
def gradient(cell):
    _, params, apply = make(cell)

    def loss(params, x, mask):
        states, last = apply({"params": params}, x, mask)
        return jnp.sum(jnp.where(mask[..., None], jnp.sin(states), 0)) + last.sum()

    return functools.partial(jax.jit(jax.grad(loss)), params)


def run(cell, x, mask, **args):
    _, params, apply = make(cell, **args)
    return apply({"params": params}, x, mask)


def assert_same_bits(a, b):
    chex.assert_trees_all_equal(a, b)


def assert_close(a, b, tolerance=1e-5):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance),
        a,
        b,
    )


# -- a loop in NumPy -------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def one_gru(of_input, of_hidden, h, c):
    (r, z, n), (rh, zh, nh) = np.split(of_input, 3), np.split(of_hidden, 3)
    n = np.tanh(n + sigmoid(r + rh) * nh)
    return (1 - sigmoid(z + zh)) * n + sigmoid(z + zh) * h, c


def one_lstm(of_input, of_hidden, h, c):
    i, f, g, o = np.split(of_input + of_hidden, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def of_one_object(cell, layers, x):
    """States [t d] of observed epochs, and the last of each direction."""
    for weights in layers:
        both, last = [], []
        for direction, order in (("forward", 1), ("backward", -1)):
            w = {k: np.float64(v) for k, v in weights.items() if k.endswith(direction)}
            h = c = np.zeros(HIDDEN)
            states = []
            for row in x[::order]:
                gates = row @ w[f"kernel_in_{direction}"] + w[f"bias_in_{direction}"]
                hidden = h @ w[f"kernel_hidden_{direction}"]
                hidden = hidden + w[f"bias_hidden_{direction}"]
                h, c = {"gru": one_gru, "lstm": one_lstm}[cell](gates, hidden, h, c)
                states.append(h)
            both.append(np.reshape(states, (len(x), HIDDEN))[::order])
            last.append(h)
        x = np.concatenate(both, 1)
    return x, np.concatenate(last)


@pytest.mark.parametrize("cell", CELLS)
@settings(deadline=None, max_examples=25)
@given(mask=MASKS)
def test_the_network_equals_a_loop_over_observed_epochs(cell, mask):
    x = make_x()
    states, last = run(cell, x, mask)
    _, params, _ = make(cell)
    layers = [params["layer_0"], params["layer_1"]]
    for i, seen in enumerate(mask):
        expected, expected_last = of_one_object(cell, layers, np.float64(x[i, seen]))
        assert_close(states[i, seen], expected)
        assert_close(last[i], expected_last)


@pytest.mark.parametrize("cell", CELLS)
def test_the_network_equals_that_of_torch_with_the_same_weights(cell):
    torch = pytest.importorskip("torch", reason="an extra: pip install '.[torch]'")
    _, params, _ = make(cell)
    kind = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell]
    theirs = kind(DEPTH, HIDDEN, 2, bidirectional=True, batch_first=True)
    names = {"kernel_in": "weight_ih", "kernel_hidden": "weight_hh"}
    names |= {"bias_in": "bias_ih", "bias_hidden": "bias_hh"}
    ends = {"forward": "", "backward": "_reverse"}
    state = {}
    for layer, weights in params.items():
        for name, array in weights.items():
            kind, _, direction = name.rpartition("_")
            theirs_name = f"{names[kind]}_l{layer[-1]}{ends[direction]}"
            state[theirs_name] = torch.tensor(np.array(array).T)
    theirs.load_state_dict(state)  # raises an error unless all weights are given
    x, lengths = make_x(objects=3), [5, 2, 4]
    mask = np.arange(EPOCHS) < np.array(lengths)[:, None]
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(x), lengths, batch_first=True, enforce_sorted=False
    )
    with torch.no_grad():
        out, end = theirs(packed)
    out, _ = torch.nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
    end = end if cell == "gru" else end[0]
    states, last = run(cell, x, mask)
    assert_close(np.where(mask[..., None], states, 0), out.numpy())
    assert_close(last, np.concatenate(end.numpy()[-2:], -1))


def count(cell, inputs, hidden):
    x, mask = jnp.zeros((1, 2, inputs)), jnp.ones((1, 2), bool)
    network = Recurrent(cell, hidden, bidirectional=False)
    params = jax.eval_shape(network.init, jax.random.key(0), x, mask)
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def test_parameter_count_and_initial_weights_match_torch():
    h, i = 16, 7
    assert count("gru", i, h) == 3 * h * (i + h) + 6 * h
    assert count("lstm", i, h) == 4 * h * (i + h) + 8 * h
    _, params, _ = make("lstm")
    values = np.concatenate([leaf.ravel() for leaf in jax.tree.leaves(params)])
    assert 0.45 < np.abs(values).max() <= HIDDEN**-0.5
    assert values.std() == pytest.approx(HIDDEN**-0.5 / 3**0.5, rel=0.1)


# -- padding ---------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
@settings(deadline=None, max_examples=10)
@given(mask=MASKS, content=st.sampled_from([np.nan, np.inf, 1e30]))
def test_content_of_padded_epochs_changes_no_bit(cell, mask, content):
    x = make_x()
    dirty = np.where(mask[..., None], x, np.float32(content))
    assert_same_bits(run(cell, dirty, mask), run(cell, x, mask))
    assert_same_bits(gradient(cell)(dirty, mask), gradient(cell)(x, mask))


@pytest.mark.parametrize("cell", CELLS)
@settings(deadline=None, max_examples=10)
@given(mask=MASKS)
def test_the_place_of_padding_changes_no_bit(cell, mask):
    x, order = make_x(), np.argsort(~mask, axis=1, kind="stable")
    front = np.take_along_axis(x, order[..., None], 1)
    packed = np.take_along_axis(mask, order, 1)
    states, last = run(cell, x, mask)
    states_front, last_front = run(cell, front, packed)
    assert_same_bits(last_front, last)
    assert_same_bits(states_front[packed], states[mask])


@pytest.mark.parametrize("cell", CELLS)
def test_more_padding_changes_no_bit(cell):
    x = make_x()
    mask = np.array([[1, 1, 0, 1, 1], [1, 1, 0, 0, 0]], bool)
    states, last = run(cell, x, mask)
    for pad in ((0, 3), (2, 0), (1, 11)):
        longer = np.pad(x, ((0, 0), pad, (0, 0)))
        more = np.pad(mask, ((0, 0), pad))
        states_longer, last_longer = run(cell, longer, more)
        assert_same_bits(last_longer, last)
        assert_same_bits(states_longer[more], states[mask])


def test_an_object_without_observed_epochs_has_zero_states():
    mask = np.zeros((2, EPOCHS), bool)
    states, last = run("gru", make_x(), mask)
    assert not np.any(states)
    assert not np.any(last)


# -- directions ------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_a_reversed_series_swaps_the_directions(cell):
    x, mask = make_x(), np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]], bool)
    _, params, apply = make(cell, num_layers=1)
    exchanged = {"forward": "backward", "backward": "forward"}
    swapped = {}
    for name, array in params["layer_0"].items():
        kind, _, direction = name.rpartition("_")
        swapped[f"{kind}_{exchanged[direction]}"] = array
    states, last = apply({"params": params}, x, mask)
    turned = {"params": {"layer_0": swapped}}
    states_turned, last_turned = apply(turned, x[:, ::-1], mask[:, ::-1])
    assert_close(np.roll(last_turned, HIDDEN, -1), last, 1e-6)
    assert_close(np.roll(states_turned, HIDDEN, -1)[:, ::-1], states, 1e-6)


def test_the_forward_direction_does_not_depend_on_later_epochs():
    x, mask = make_x(), np.ones((2, EPOCHS), bool)
    later = x.copy()
    later[:, 3:] += 1
    for bidirectional in (False, True):
        states, last = run("lstm", x, mask, bidirectional=bidirectional)
        assert last.shape == (2, HIDDEN * (1 + bidirectional))
        changed, _ = run("lstm", later, mask, bidirectional=bidirectional)
        assert np.array_equal(states[:, :3], changed[:, :3]) != bidirectional


# -- types and settings ----------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_states_stay_float32_with_bfloat16_products(cell):
    x, mask = make_x(), np.ones((2, EPOCHS), bool)
    states, last = run(cell, jnp.bfloat16(x), mask)
    assert states.dtype == last.dtype == jnp.float32
    assert_close(last, run(cell, x, mask)[1], 0.03)
    grads = gradient(cell)(jnp.bfloat16(x), mask)
    chex.assert_tree_all_finite(grads)


def test_float64_stays_float64():
    with jax.enable_x64(True):
        x, mask = np.float64(make_x()), np.ones((2, EPOCHS), bool)
        _, params, apply = make("gru")
        states, _ = apply({"params": params}, x, mask)
        layers = [params["layer_0"], params["layer_1"]]
        expected, _ = of_one_object("gru", layers, x[0])
        assert_close(states[0], expected, 1e-12)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("rnn", 4), "No cell named 'rnn'. Known: gru, lstm"),
        (("gru", 4, 0), "num_layers 0. Give at least one layer"),
    ],
)
def test_invalid_arguments_are_refused(args, message):
    x, mask = jnp.array(make_x()), jnp.ones((2, EPOCHS), bool)
    with pytest.raises(ValueError, match=message):
        Recurrent(*args).init(jax.random.key(0), x, mask)
