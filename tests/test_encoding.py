import jax.numpy as jnp
import numpy as np
import pytest

from jaxastro.layers.encoding import PERIODS, date_features, sinusoidal


def test_the_sinusoidal_code_by_hand():
    code = sinusoidal(jnp.array([[1.0]]), 4)[0, 0]
    by_hand = [0.84147098, 0.54030231, 0.00999983, 0.99995000]
    np.testing.assert_allclose(code, by_hand, atol=1e-7)


@pytest.mark.parametrize("depth", [1, 5, 8])
def test_the_sinusoidal_code_equals_its_equation(depth):
    when = np.array([[0.0, 1.0, 7.5], [33.0, 0.25, 99.0]])
    code = sinusoidal(jnp.array(when, jnp.float32), depth)
    assert code.shape == (2, 3, depth)
    for d in range(depth):
        angle = when / 10000 ** (2 * (d // 2) / depth)
        by_hand = np.cos(angle) if d % 2 else np.sin(angle)
        np.testing.assert_allclose(code[..., d], by_hand, atol=2e-5)


def test_a_time_shift_rotates_the_code():
    # So time differences do not depend on the absolute time.
    when = jnp.array([[3.0, 50.0]])
    pairs = np.array(sinusoidal(when, 8)).reshape(2, 4, 2)
    later = np.array(sinusoidal(when + 2.5, 8)).reshape(2, 4, 2)
    np.testing.assert_allclose(
        np.sum(pairs * later, -1)[0], np.sum(pairs * later, -1)[1], atol=1e-5
    )


def test_the_codes_of_99_positions_differ():
    code = np.array(sinusoidal(jnp.arange(99.0)[None], 8))[0]
    distance = np.linalg.norm(code[:, None] - code, axis=-1)
    assert distance[~np.eye(99, dtype=bool)].min() > 1e-2


def test_date_features_by_hand():
    assert PERIODS[[0, 3, -1]] == pytest.approx([1, 10, 1000])
    waves = date_features(jnp.array([[2.5]]))[0, 0]
    assert waves.shape == (20,)
    # phases: half of one day, a quarter of ten days, 0.9 degrees of 1000 days
    by_hand = [0, -1, 1, 0, 0.01570732, 0.99987663]
    np.testing.assert_allclose(
        waves[jnp.array([0, 10, 3, 13, 9, 19])], by_hand, atol=2e-6
    )


def test_date_features_resolve_an_hour_to_three_years_and_are_continuous():
    time = np.array([0, 1 / 24, 1, 30, 365, 1000], np.float32) + 500
    waves = np.array(date_features(jnp.array(time)))
    distance = np.linalg.norm(waves[:, None] - waves, axis=-1)
    assert distance[~np.eye(6, dtype=bool)].min() > 0.1
    late = np.float32([3650.0, 3650.0 + 1 / 1440])  # one minute, after ten years
    assert np.linalg.norm(np.subtract(*date_features(jnp.array(late)))) < 0.01


def test_in_a_mean_over_dates_short_periods_average_out():
    dates = jnp.linspace(0, 30, 100)
    mean = np.array(date_features(dates).mean(0)).reshape(2, -1)
    strength = np.hypot(*mean)
    assert strength[PERIODS < 10].max() < 0.15
    assert strength[PERIODS > 200].min() > 0.95
