import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxastro.layers.frame_cnn import FrameCnn, _max_pool
from jaxastro.layers.gaps import append_gaps


def test_max_pooling_is_the_largest_of_four_and_so_is_its_gradient():
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype(np.float32)
    pooled, back = jax.vjp(_max_pool, x)
    (gradient,) = back(jnp.ones_like(pooled))
    assert pooled.shape == (2, 2, 3, 3)
    for n, y, col, d in np.ndindex(pooled.shape):
        four = x[n, 2 * y : 2 * y + 2, 2 * col : 2 * col + 2, d]
        assert pooled[n, y, col, d] == four.max()
        taught = gradient[n, 2 * y : 2 * y + 2, 2 * col : 2 * col + 2, d]
        np.testing.assert_array_equal(taught, four == four.max())
    assert not np.any(gradient[:, 4])  # the odd last row


def test_max_pooling_propagates_nan_and_ties_have_one_gradient():
    for place in np.ndindex(2, 2):
        x = np.ones((1, 2, 2, 1), np.float32)
        assert jax.grad(lambda x: _max_pool(x).sum())(x).sum() == 1
        x[0, *place] = np.nan
        assert np.isnan(_max_pool(jnp.array(x))).all()


def test_batch_statistics_use_observed_frames_only():
    generator = np.random.default_rng(0)
    x = jnp.array(generator.normal(size=(2, 3, 4, 4, 2)), jnp.float32)
    mask = jnp.array([[True, True, False], [True, False, False]])
    net = FrameCnn((5,), batch_norm=True)
    variables = net.init(jax.random.key(0), x, mask, False)
    out, updated = net.apply(variables, x, mask, True, mutable=["batch_stats"])
    seen = x[mask][None]
    all_seen = jnp.ones((1, 3), bool)
    alone, expected = net.apply(variables, seen, all_seen, True, mutable="batch_stats")
    np.testing.assert_allclose(out[mask], alone[0], rtol=1e-4, atol=1e-5)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6),
        updated,
        {"batch_stats": expected["batch_stats"]},
    )


def test_gaps_are_since_the_last_observed_epoch():
    time = jnp.array([[3.0, 5.0, 99.0, 12.0], [1.0, 2.0, 3.0, 4.0]])
    mask = jnp.array([[True, True, False, True], [False, False, True, True]])
    x = jnp.zeros((2, 4, 1))
    gap = append_gaps(x, time, mask, "gaps")[..., 1]
    expected = [[0, np.log(3), 0, np.log(8)], [0, 0, 0, np.log(2)]]
    np.testing.assert_allclose(gap, expected, rtol=1e-6)
    assert append_gaps(x, time, mask, "none") is x


def test_an_unknown_encoding_is_refused_with_the_known_names():
    x, mask = jnp.zeros((1, 2, 1)), jnp.ones((1, 2), bool)
    with pytest.raises(ValueError, match=r"No encoding 'mjd'\. Known: none, gaps"):
        append_gaps(x, x[..., 0], mask, "mjd")
