"""Visit transformer: photometry in the network, visits, wavelengths and invariances."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.light_curve import make_curves
from support.series import make_series

from jaxastro.errors import InputError
from jaxastro.layers import visits as visits_layer
from jaxastro.layers.point_flux import point_fluxes
from jaxastro.layers.visits import (
    find_visits,
    knot_weights,
    knots_of_epochs,
    merge_visits,
    other_mean,
    summarise_visits,
)
from jaxastro.models.visit_transformer import VisitTransformer
from jaxastro.models.visit_transformer_of_light_curves import (
    VisitTransformerOfLightCurves,
)
from jaxastro.photometry.psf import FWHM_PER_SIGMA, PSF_SIGMA, PSF_WEIGHT, psf_profile

WAVELENGTHS = (3562.0, 4719.0, 6185.0)
SMALL = {"width": 8, "num_heads": 2, "hidden": 6, "cnn_widths": (4, 4), "core": 8}


def make_example(*lengths, epochs=6, size=12, seed=0):
    """Visits of up to two bands, on nights a week apart."""
    generator = np.random.default_rng(seed)
    shape = (len(lengths), epochs)
    time = 7.0 * (np.arange(epochs) // 2) + 0.1 * (np.arange(epochs) % 2)
    band = (np.arange(epochs) % 2) + generator.integers(0, 2, shape)
    return make_series(
        image=generator.normal(size=(*shape, size, size)).astype(np.float32),
        time=np.broadcast_to(time, shape).astype(np.float32),
        band=band.astype(np.int32),
        epoch_mask=np.arange(epochs) < np.array(lengths)[:, None],
    )


@functools.cache
def make(model=VisitTransformer, **args):
    small = SMALL | {"wavelengths": WAVELENGTHS} | args
    if model is VisitTransformerOfLightCurves:
        small = {k: v for k, v in small.items() if k not in ("cnn_widths", "core")}
    model = model(3, **small)
    inputs = make_example(6)
    if isinstance(model, VisitTransformerOfLightCurves):
        inputs = make_curves(6)
    variables = jax.jit(functools.partial(model.init, train=False))(
        jax.random.key(0), inputs
    )
    return jax.jit(functools.partial(model.apply, variables, train=False))


# -- photometry ------------------------------------------------------------------------


def squared_distance(size):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return x**2 + y**2


@settings(deadline=None, max_examples=10)
@given(fwhm=st.floats(2.0, 7.0), seed=st.integers(0, 99))
def test_fluxes_are_those_of_the_weights_of_the_photometry_package(fwhm, seed):
    image = np.random.default_rng(seed).normal(size=(24, 24))
    apertures = (3.5, 5.0)
    found, error = point_fluxes(
        jnp.array(image[None, None], jnp.float32),
        jnp.full((1, 1), fwhm, jnp.float32),
        jnp.full((1, 1), 0.7, jnp.float32),
        apertures,
    )
    psf, _ = psf_profile(squared_distance(24), fwhm)
    weights = [psf]
    for size in apertures:
        variance = max(size**2 - (fwhm / FWHM_PER_SIGMA) ** 2, 0.25)
        weights.append(np.exp(-squared_distance(24) / (2 * variance)))
    for i, weight in enumerate(weights):
        response = (weight * psf).sum()
        assert found[0, 0, i] == pytest.approx(
            (weight * image).sum() / response, rel=1e-3, abs=1e-3
        )
        assert error[0, 0, i] == pytest.approx(
            0.7 * np.sqrt((weight**2).sum()) / response, rel=1e-4
        )


def test_the_constants_of_the_psf_are_those_of_the_photometry_package():
    from jaxastro.layers import point_flux

    assert point_flux.PSF_WEIGHT == PSF_WEIGHT
    assert point_flux.PSF_SIGMA == PSF_SIGMA
    assert pytest.approx(FWHM_PER_SIGMA) == point_flux.FWHM_PER_SIGMA


def test_stars_and_galaxies_have_the_same_flux_in_every_seeing():
    fwhm = np.array([2.5, 4.0, 6.0], np.float32)
    star, galaxy = [], []
    for width in fwhm:
        star.append(psf_profile(squared_distance(41), width)[0])
        parts = []  # a Gaussian galaxy of 2 pixels through the seeing
        for weight, ratio in zip(PSF_WEIGHT, PSF_SIGMA, strict=True):
            variance = (ratio * width / FWHM_PER_SIGMA) ** 2 + 2.0**2
            parts.append(
                weight
                * np.exp(-squared_distance(41) / (2 * variance))
                / (2 * np.pi * variance)
            )
        galaxy.append(sum(parts))
    images = jnp.array([star, galaxy], jnp.float32)
    wide = jnp.broadcast_to(fwhm, (2, 3))
    flux, _ = point_fluxes(images, wide, jnp.ones((2, 3)), (5.0,))
    np.testing.assert_allclose(flux[0], 1, atol=1e-4)
    by_psf, by_aperture = np.array(flux[1, :, 0]), np.array(flux[1, :, 1])
    assert np.ptp(by_psf) > 0.2  # light of a galaxy follows the seeing
    assert np.ptp(by_aperture) < 0.03


def test_an_aperture_without_width_is_refused():
    nothing = jnp.ones((1, 1))
    with pytest.raises(InputError, match="A width is above 0"):
        point_fluxes(jnp.ones((1, 1, 9, 9)), nothing, nothing, (0.0,))


# -- visits ----------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(
    steps=st.lists(st.sampled_from([0.0, 0.1, 0.5, 30.0]), min_size=8, max_size=8),
    count=st.integers(0, 8),
    num_visits=st.sampled_from([1, 3, 8]),
)
def test_visits_are_those_of_a_loop(steps, count, num_visits):
    time = np.cumsum(steps)
    series = make_series(
        np.zeros((1, 8, 2, 2), np.float32),
        time[None].astype(np.float32),
        np.zeros((1, 8), np.int32),
        (np.arange(8) < count)[None],
    )
    starts = []
    night = np.full(8, -1)
    for i in range(count):
        if not starts or time[i] - starts[-1] > np.float32(0.33):
            starts.append(time[i])
        night[i] = len(starts) - 1
    size = min(num_visits, 8)
    kept = list(range(len(starts)))
    if len(starts) > size:
        kept = [int(np.ceil(p * len(starts) / size)) for p in range(size)]
    found = FIND(series, num_visits=num_visits)
    np.testing.assert_array_equal(found.night[0], night)
    expected = [kept.index(n) if n in kept else size for n in night]
    np.testing.assert_array_equal(found.number[0], expected)
    np.testing.assert_array_equal(found.mask[0], np.arange(size) < len(kept))
    np.testing.assert_allclose(
        found.time[0, : len(kept)], [starts[n] for n in kept], rtol=1e-6
    )


FIND = jax.jit(
    functools.partial(find_visits, longest=0.33), static_argnames=("num_visits",)
)


def test_values_of_a_visit_are_means_at_each_wavelength():
    inputs = make_example(6, 5)
    visits = FIND(inputs, num_visits=6)
    knots = knots_of_epochs(inputs, WAVELENGTHS)
    values = np.random.default_rng(1).normal(size=(2, 6, 3)).astype(np.float32)
    merged, cover = merge_visits(jnp.array(values), knots, visits)
    table = knot_weights(WAVELENGTHS)
    for b in range(2):
        for v in range(6):
            total, light = np.zeros(len(table[0])), np.zeros((len(table[0]), 3))
            for t in range(6):
                if inputs.epoch_mask[b, t] and visits.number[b, t] == v:
                    weight = table[inputs.band[b, t]]
                    total += weight
                    light += weight[:, None] * values[b, t]
            np.testing.assert_allclose(cover[b, v], np.minimum(total, 1), atol=1e-6)
            expected = light / np.maximum(total, 1)[:, None]
            np.testing.assert_allclose(merged[b, v], expected, atol=1e-5)


def test_knots_interpolate_and_a_bands_weights_have_sum_1():
    table = knot_weights((100.0, *visits_layer.KNOTS, 5000.0, 1e6))
    np.testing.assert_allclose(table.sum(1), 1)
    np.testing.assert_allclose(table[1:-2], np.eye(len(visits_layer.KNOTS)), atol=1e-9)
    assert table[0, 0] == table[-1, -1] == 1


@pytest.mark.parametrize("causal", [True, False])
def test_the_reference_is_the_mean_of_other_visits_of_the_band(causal):
    inputs = make_example(6, 4)
    generator = np.random.default_rng(0)
    flux = generator.normal(size=(2, 6, 1)).astype(np.float32)
    error = generator.uniform(1, 2, (2, 6, 1)).astype(np.float32)
    night = FIND(inputs, num_visits=6).night
    mean, spread = other_mean(
        jnp.array(flux), jnp.array(error), inputs, night, causal=causal
    )
    for b in range(2):
        for t in range(6):
            before = [
                s
                for s in range(6)
                if inputs.epoch_mask[b, s]
                and inputs.epoch_mask[b, t]
                and inputs.band[b, s] == inputs.band[b, t]
                and night[b, s] != night[b, t]
                and (s < t or not causal)
            ]
            if before:
                weight = error[b, before, 0] ** -2.0
                expected = (weight * flux[b, before, 0]).sum() / weight.sum()
                assert mean[b, t, 0] == pytest.approx(expected, abs=1e-5)
                assert spread[b, t, 0] == pytest.approx(weight.sum() ** -0.5, rel=1e-5)
            else:
                assert mean[b, t, 0] == flux[b, t, 0]
                assert spread[b, t, 0] == 0


def test_a_summary_has_mean_deviation_and_extremes_of_covered_visits():
    values = np.random.default_rng(0).normal(size=(1, 4, 2, 3)).astype(np.float32)
    cover = np.zeros((1, 4, 2), np.float32)
    cover[0, :3, 0] = 1, 0, 0.5  # nothing is covered at the second wavelength
    found = summarise_visits(jnp.array(values), jnp.array(cover))
    found = np.asarray(found).reshape(2, 4, 3)
    first, third = values[0, 0, 0], values[0, 2, 0]
    mean = (2 * first + third) / 3
    square = (2 * (first - mean) ** 2 + (third - mean) ** 2) / 3
    np.testing.assert_allclose(found[0, 0], mean, rtol=1e-5)
    np.testing.assert_allclose(found[0, 1], np.sqrt(square + 1e-6), rtol=1e-4)
    np.testing.assert_array_equal(found[0, 2], np.maximum(first, third))
    np.testing.assert_array_equal(found[0, 3], np.minimum(first, third))
    np.testing.assert_allclose(found[1], [[0] * 3, [1e-3] * 3, [0] * 3, [0] * 3])


# -- the network -----------------------------------------------------------------------


def test_content_of_padded_frames_changes_no_bit():
    inputs = make_example(6, 4, 1)
    padded = ~inputs.epoch_mask
    noise = make_example(6, 6, 6, seed=1)
    other = inputs._replace(
        image=np.where(padded[..., None, None], 99 + noise.image, inputs.image),
        time=np.where(padded, 1e6, inputs.time).astype(np.float32),
        band=np.where(padded, 7, inputs.band).astype(np.int32),
        psf_fwhm=np.where(padded, np.nan, inputs.psf_fwhm).astype(np.float32),
        noise=np.where(padded, 0, inputs.noise).astype(np.float32),
    )
    chex.assert_trees_all_equal(make()(inputs), make()(other))


@pytest.mark.parametrize("num_visits", [2, 32])
def test_padding_and_the_order_of_objects_have_no_effect(num_visits):
    inputs = make_example(6, 4, 1)
    predict = make(num_visits=num_visits)
    here = predict(inputs)

    def longer(a):
        return np.concatenate([a, np.zeros_like(a[:, :3])], axis=1)

    for other in (
        predict(type(inputs)(*map(longer, inputs))).logits,
        predict(type(inputs)(*(a[::-1] for a in inputs))).logits[::-1],
    ):
        np.testing.assert_allclose(other, here.logits, atol=1e-5)


def test_the_order_of_bands_within_a_visit_has_no_effect():
    inputs = make_example(6, 6)
    swapped = [1, 0, 3, 2, 5, 4]
    other = inputs._replace(
        **{n: getattr(inputs, n)[:, swapped] for n in ("image", "band")}
    )
    np.testing.assert_allclose(make()(inputs).logits, make()(other).logits, atol=1e-5)


def test_bands_are_known_by_their_wavelength_alone():
    inputs = make_example(6, 4)
    order = np.array([2, 0, 1])  # new index of each band
    renamed = inputs._replace(band=order[inputs.band].astype(np.int32))
    moved = tuple(np.array(WAVELENGTHS)[np.argsort(order)])
    np.testing.assert_allclose(
        make(wavelengths=moved)(renamed).logits, make()(inputs).logits, atol=1e-6
    )


def test_parameters_fit_every_survey():
    def shapes(wavelengths):
        model = VisitTransformer(3, **SMALL, wavelengths=wavelengths)
        init = functools.partial(model.init, train=False)
        return jax.tree.map(
            jnp.shape, jax.eval_shape(init, jax.random.key(0), make_example(6))
        )

    assert shapes(WAVELENGTHS) == shapes((*WAVELENGTHS, 7600.0, 9000.0))


@pytest.mark.parametrize("causal", [True, False])
def test_the_state_of_a_visit_depends_on_later_ones_only_if_not_causal(causal):
    inputs = make_example(6)
    model = VisitTransformer(3, **SMALL, wavelengths=WAVELENGTHS, causal=causal)
    variables = model.init(jax.random.key(0), inputs, train=False)

    def states(series):
        _, seen = model.apply(
            variables, series, train=False, capture_intermediates=True
        )
        return seen["intermediates"]["visits"]["norm"]["__call__"][0]

    later = inputs._replace(image=inputs.image.copy())
    later.image[0, 4:] += 9
    here, there = states(inputs), states(later)
    assert np.abs(here[0, 2] - there[0, 2]).max() > 1e-2
    assert (np.abs(here[0, :2] - there[0, :2]).max() == 0) == causal


def test_an_object_without_observed_epochs_has_finite_output_and_gradient():
    inputs = make_example(6, 0)
    assert np.isfinite(make()(inputs).logits).all()
    model = VisitTransformer(3, **SMALL, wavelengths=WAVELENGTHS)
    variables = model.init(jax.random.key(0), inputs, train=False)

    def total(variables, image):
        series = inputs._replace(image=image)
        return model.apply(variables, series, train=False).logits.sum()

    grads = jax.grad(total, (0, 1))(variables, jnp.array(inputs.image))
    chex.assert_tree_all_finite(grads)
    assert np.abs(grads[1][0]).max() > 0  # reaches the pixels


def test_unknown_seeing_and_noise_are_assumed():
    inputs = make_example(6)
    unknown = inputs._replace(psf_fwhm=0 * inputs.psf_fwhm, noise=0 * inputs.noise)
    given = inputs._replace(
        psf_fwhm=np.full_like(inputs.psf_fwhm, 4),
        noise=np.full_like(inputs.noise, 1 / 3),
    )
    np.testing.assert_array_equal(make()(unknown).logits, make()(given).logits)


@pytest.mark.parametrize("model", [VisitTransformer, VisitTransformerOfLightCurves])
def test_an_unknown_band_gives_nan(model):
    inputs = make_example(6, 4) if model is VisitTransformer else make_curves(6, 4)
    inputs = inputs._replace(band=np.array(inputs.band))
    inputs.band[1, 2] = 9
    logits = make(model)(inputs).logits
    assert np.isfinite(logits[0]).all()
    assert np.isnan(logits[1]).all()


def test_light_curves_of_the_two_scales_give_the_same_result():
    curves = make_curves(6, 4)
    flux, error = np.asarray(curves.flux), np.asarray(curves.flux_error)
    scaled = curves._replace(
        flux=np.arcsinh(flux), flux_error=error / np.sqrt(1 + flux**2)
    )
    one, other = (
        make(VisitTransformerOfLightCurves, change=scale)(c).logits
        for scale, c in (("linear", curves), ("asinh", scaled))
    )
    np.testing.assert_allclose(one, other, atol=1e-4)
