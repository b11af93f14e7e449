"""Light curves of fixed length: sorted, padded, normalised and finite."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxastro.data.feature_scaling import fit_feature_ranks
from jaxastro.data.light_curve import make_light_curve_record
from jaxastro.errors import RecordError
from jaxastro.representations.light_curve import (
    NORMALISATIONS,
    blank,
    fit_statistics,
    make_example,
)
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["sdss_sn_photometry"]
EVERY = pytest.mark.parametrize("normalisation", NORMALISATIONS)


def curve_of(epochs=9, seed=0, **given):
    generator = np.random.default_rng(seed)
    fields = {
        "flux": generator.normal(20, 5, epochs),
        "flux_error": generator.uniform(0.5, 2, epochs),
        "mjd": 53600 + np.sort(generator.uniform(0, 90, epochs)),
        "band": generator.integers(0, 5, epochs),
        "features": {"mwebv": generator.random()},
    }
    return make_light_curve_record(f"object{seed}", SURVEY, **fields | given)[0]


def fitted(normalisation, records=None):
    records = records or [curve_of(seed=i) for i in range(8)]
    return {
        "normalisation": normalisation,
        "statistics": fit_statistics(
            records, normalisation=normalisation, survey=SURVEY
        ),
    }


def assert_same(a, b):
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)


@EVERY
def test_the_order_of_epochs_does_not_matter_for_examples(normalisation):
    generator = np.random.default_rng(1)
    columns = [generator.normal(20, 5, 9), generator.uniform(0.5, 2, 9)]
    columns += [53600 + generator.integers(0, 4, 9) / 2, generator.integers(0, 5, 9)]
    names, order = ("flux", "flux_error", "mjd", "band"), generator.permutation(9)
    here = curve_of(**dict(zip(names, columns, strict=True)))
    there = curve_of(**{n: c[order] for n, c in zip(names, columns, strict=True)})
    how = fitted(normalisation)
    example = make_example(here, max_epochs=12, **how)
    assert_same(example, make_example(there, max_epochs=12, **how))
    assert (np.diff(example.time[example.epoch_mask]) >= 0).all()


@EVERY
def test_examples_have_the_shape_of_blank_and_zero_padding(normalisation):
    example = make_example(curve_of(), max_epochs=12, **fitted(normalisation))
    for name, like in blank(SURVEY, max_epochs=12, num_objects=1)._asdict().items():
        value = getattr(example, name)
        assert (value.shape, value.dtype) == (like.shape[1:], like.dtype), name
    assert example.epoch_mask.tolist() == [True] * 9 + [False] * 3
    for name in example.OF_EPOCHS:
        assert not getattr(example, name)[9:].any()
    assert example.feature_mask.sum() == 1  # mwebv is known, the others are not
    assert not example.feature[~example.feature_mask].any()


def test_long_light_curves_keep_evenly_spaced_epochs():
    curve = curve_of(epochs=100)
    example = make_example(curve, max_epochs=12, **fitted("asinh"))
    assert example.epoch_mask.all()
    kept = np.linspace(0, 99, 12).round().astype(int)
    days = curve.mjd[kept] - curve.mjd[0]
    np.testing.assert_allclose(example.time, days, rtol=1e-6)
    np.testing.assert_array_equal(example.band, curve.band[kept])


@EVERY
def test_errors_are_normalised_with_their_fluxes(normalisation):
    """A normalised error is the change of the normalised flux for one error."""
    how, curve = fitted(normalisation), curve_of(band=np.zeros(9, int))
    if normalisation == "log":  # scales errors independently, as published
        return
    small = curve._replace(flux_error=curve.flux_error / 1000)
    found = make_example(small, max_epochs=9, **how)
    for t in (2, 5):
        flux = small.flux.astype(np.float64)
        flux[t] += small.flux_error[t]
        if flux.argmax() == t or flux.argsort()[4] == t:
            continue  # the peak is the unit of all others
        moved = make_example(small._replace(flux=flux), max_epochs=9, **how)
        change = moved.flux[t] - found.flux[t]
        np.testing.assert_allclose(change, found.flux_error[t], rtol=2e-2, atol=2e-6)


def test_golden_values():
    how = {"max_epochs": 2, "statistics": {"softening": [2.0] * 5}}
    curve = curve_of(flux=[3, 12], flux_error=[1, 2], mjd=[5, 8], band=[1, 1])
    how["statistics"] |= fit_feature_ranks([curve.features])
    example = make_example(curve, normalisation="asinh", **how)
    np.testing.assert_allclose(example.flux, np.arcsinh([0.5, 2]), rtol=1e-6)
    errors = [1 / 6 / np.sqrt(1.25), 2 / 6 / np.sqrt(5)]
    np.testing.assert_allclose(example.flux_error, errors, rtol=1e-6)
    np.testing.assert_allclose(example.time, [0, 3])
    example = make_example(curve, normalisation="peak", **how)
    np.testing.assert_allclose(example.flux, [0.25, 1])
    np.testing.assert_allclose(example.flux_error, [1 / 12, 1 / 6])
    how["statistics"] |= {"deviation": [0.5]}
    example = make_example(curve, normalisation="relative", **how)
    np.testing.assert_allclose(example.flux, [2 * (3 / 7.5 - 1), 2 * (12 / 7.5 - 1)])
    how["statistics"] |= {"flux": [2.0, 1.0, 0.5], "flux_error": [1.0, 0.0, 1.0]}
    example = make_example(curve, normalisation="log", **how)
    expected = (np.log(np.array([1, 10]) + 1e-5) - 1) / 0.5
    np.testing.assert_allclose(example.flux, expected, rtol=1e-6)


def wild():
    number = st.one_of(
        st.floats(-1e9, 1e9),
        st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 99.0, -1.0, 1e-30, 1e30]),
    )
    epoch = st.tuples(number, number, st.floats(0, 1e5), st.integers(0, 4))
    return st.lists(epoch, min_size=1, max_size=6)


@EVERY
@settings(max_examples=60, deadline=None)
@given(epochs=wild())
def test_examples_of_any_table_are_finite(normalisation, epochs):
    flux, error, mjd, band = map(np.array, zip(*epochs, strict=True))
    given = {"flux": flux, "flux_error": error, "mjd": mjd, "band": band}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stored, spread = flux.astype(np.float32), error.astype(np.float32)
        good = np.isfinite(stored) & np.isfinite(spread) & (spread > 0)
        if not good.any():
            with pytest.raises(RecordError, match="no epoch with a flux, an error"):
                make_light_curve_record("wild", SURVEY, **given)
            return
        curve, notes = make_light_curve_record("wild", SURVEY, **given)
        if not good.all():
            assert f"{(~good).sum()} epochs have no number" in notes[0]
        for records in ([curve], [curve_of()]):
            how = fitted(normalisation, records)
            example = make_example(curve, max_epochs=4, **how)
            for name in example._fields:
                assert np.isfinite(getattr(example, name)).all(), name


@EVERY
def test_a_catalogue_without_light_curves_gives_features_only(normalisation):
    none = np.zeros(0)
    bare = curve_of(flux=none, flux_error=none, mjd=none, band=none.astype(int))
    for records in ([bare], [bare, curve_of()]):
        example = make_example(bare, max_epochs=4, **fitted(normalisation, records))
        assert not example.epoch_mask.any()
        assert example.feature_mask.any()


def test_an_unknown_normalisation_is_an_error_that_lists_the_known():
    with pytest.raises(ValueError, match=r"named 'loud'\. Known: asinh, log, peak"):
        fit_statistics([], normalisation="loud", survey=SURVEY)
