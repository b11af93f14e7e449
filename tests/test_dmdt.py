"""dm-dt maps against a loop over pairs, and the network on them."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import representations
from jaxastro.augment import make_augment
from jaxastro.data.light_curve import make_light_curve_record
from jaxastro.models.cnn_dmdt import CnnDmdt
from jaxastro.representations import dmdt
from jaxastro.surveys import SURVEYS
from jaxastro.types import Image

SURVEY = SURVEYS["ztf_periodic"]  # two bands, and features
EDGES = np.array(dmdt.MAGNITUDES)
EDGES = np.concatenate([-EDGES[:0:-1], EDGES])


def obvious(mjd, magnitude):
    """Counts pairs in a loop."""
    counts = np.zeros((len(EDGES) - 1, len(dmdt.DAYS) - 1))
    for j in range(len(mjd)):
        for i in range(j):
            row = np.flatnonzero(magnitude[j] - magnitude[i] >= EDGES)
            column = np.flatnonzero(np.array(dmdt.DAYS) <= mjd[j] - mjd[i])
            inside = len(row) and row[-1] < len(counts)
            if inside and len(column) and column[-1] < counts.shape[1]:
                counts[row[-1], column[-1]] += 1
    return counts


def curve_of(mjd, magnitude, band=0, flux=None):
    flux = 10 ** (-0.4 * np.array(magnitude)) if flux is None else np.array(flux)
    columns = {"mjd": mjd, "flux": flux, "flux_error": np.full(len(flux), 1e-9)}
    columns["band"] = np.broadcast_to(band, len(flux))
    return make_light_curve_record("star", SURVEY, **columns, features={"Per": 3.0})[0]


def drawn(curve, normalisation="share", max_epochs=500):
    statistics = dmdt.fit_statistics(
        [curve], normalisation=normalisation, survey=SURVEY
    )
    how = {"normalisation": normalisation, "statistics": statistics}
    return dmdt.make_example(curve, max_epochs=max_epochs, **how)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.floats(0, 5000), st.sampled_from([0.0, 0.5, 1.5, 3.5])),
            st.one_of(st.floats(8, 20), st.sampled_from([10.0, 10.5, 11.0, 18.0])),
        ),
        max_size=25,
    )
)
def test_counts_equal_a_loop_over_all_pairs(points):
    points = np.array(sorted(points)).reshape(-1, 2)
    found = dmdt.pair_counts(points[:, 0], points[:, 1])
    np.testing.assert_array_equal(found, obvious(points[:, 0], points[:, 1]))


def test_all_pairs_within_the_edges_are_counted():
    generator = np.random.default_rng(0)
    mjd, magnitude = (
        np.sort(generator.uniform(0, 1500, 80)),
        generator.normal(15, 1, 80),
    )
    counts = dmdt.pair_counts(mjd, magnitude)
    assert counts.sum() == 80 * 79 / 2
    expected = np.histogram2d(
        *((a[None] - a[:, None])[np.triu_indices(80, 1)] for a in (magnitude, mjd)),
        bins=(EDGES, dmdt.DAYS),
    )[0]
    np.testing.assert_array_equal(counts, expected)


def test_golden_maps():
    # Three pairs: +0.15 mag after 8 days, -0.15 after 12, none after 20.
    curve = curve_of([0, 8, 20], [15, 15.15, 15])
    image = drawn(curve, "ceil").image
    assert image.shape == (22, 24, 2)
    up, down, same = (np.searchsorted(EDGES, m, "right") - 1 for m in (0.15, -0.15, 0))
    days = [np.searchsorted(dmdt.DAYS, d, "right") - 1 for d in (8, 12, 20)]
    assert not image[..., 1].any()  # no epoch in r
    at = {(up, days[0]), (down, days[1])}
    found = {tuple(map(int, place)) for place in np.argwhere(image[..., 0])}
    assert at <= found
    assert len(found) == 3
    assert {row for row, day in found if day == days[2]} <= {same, same - 1}
    np.testing.assert_allclose(image[up, days[0], 0], 85 / 255)  # ceil(255 / 3) = 85
    share = drawn(curve).image
    np.testing.assert_allclose(share[up, days[0], 0], 10 * np.sqrt(1 / 3), rtol=1e-6)


def test_the_order_of_epochs_does_not_matter_and_bands_are_independent():
    generator = np.random.default_rng(1)
    mjd, band = generator.uniform(0, 300, 40), generator.integers(0, 2, 40)
    magnitude, order = generator.normal(15, 1, 40), generator.permutation(40)
    here = drawn(curve_of(mjd, magnitude, band)).image
    there = drawn(curve_of(mjd[order], magnitude[order], band[order])).image
    np.testing.assert_array_equal(here, there)
    for one in (0, 1):
        alone = drawn(curve_of(mjd[band == one], magnitude[band == one], one)).image
        np.testing.assert_array_equal(alone[..., one], here[..., one])


def test_points_without_a_magnitude_are_omitted():
    curve = curve_of([0, 1, 2, 3], None, flux=[1.0, -1.0, 0.0, 2.0])
    assert drawn(curve, "ceil").image[..., 0].sum() == 1  # one pair: the first and last
    assert not drawn(curve_of([0], [15])).image.any()
    example = drawn(curve_of([0], None, flux=[-1.0]))
    assert not example.image.any()
    assert example.feature_mask.sum() == 1


def test_long_bands_are_thinned():
    mjd = np.linspace(0, 100, 101)
    image = drawn(curve_of(mjd, 15 + 0 * mjd), "ceil", max_epochs=5).image[..., 0]
    np.testing.assert_array_equal(
        image, drawn(curve_of(mjd[::25], 15 + 0 * mjd[::25]), "ceil").image[..., 0]
    )


def test_wrong_settings_are_errors_with_a_message():
    with pytest.raises(ValueError, match=r"named 'loud'\. Known: share, ceil"):
        drawn(curve_of([0, 1], [15, 16]), "loud")
    with pytest.raises(
        ValueError, match="augment: drop, flip, rotation for Image input"
    ):
        make_augment(max_epochs=3)(jax.random.key(0), images())
    view = make_augment(max_epochs=3, drop=0.0, flip=False, rotation=0.0)
    assert view(jax.random.key(0), images()) is not None


# -- the network -----------------------------------------------------------------------


def images(num_objects=3, bands=2):
    generator = np.random.default_rng(0)
    return jax.device_put(
        Image(
            image=generator.random((num_objects, 22, 24, bands)).astype(np.float32),
            feature=generator.normal(size=(num_objects, 4)).astype(np.float32),
            feature_mask=np.ones((num_objects, 4), bool),
        )
    )


def test_the_network_of_the_thesis_has_its_parameter_count():
    def count(num_classes):
        model = CnnDmdt(num_classes, absolute=True)

        def init(key):
            return model.init(key, images(), train=False)

        return sum(
            a.size for a in jax.tree.leaves(jax.eval_shape(init, jax.random.key(0)))
        )

    assert (count(5), count(10)) == (6_338_373, 6_340_938)


def test_absolute_differences_do_not_depend_on_the_direction_of_time():
    generator = np.random.default_rng(2)
    mjd, magnitude = np.arange(30) * 3.3, generator.normal(15, 1, 30)
    curves = curve_of(mjd, magnitude), curve_of(mjd, magnitude[::-1])
    stacked = Image(*map(np.stack, zip(*map(drawn, curves), strict=True)))
    stacked = jax.device_put(stacked)
    for absolute in (True, False):
        model = CnnDmdt(3, (4, 4, 4, 4), (8, 8), absolute=absolute)
        variables = model.init(jax.random.key(0), stacked, train=False)
        first, second = model.apply(variables, stacked, train=False).logits
        assert (abs(first - second).max() < 1e-6) == absolute


def test_features_have_an_effect_only_if_requested_and_known():
    def logits_of(inputs, **args):
        model = CnnDmdt(3, (4, 4, 4, 4), (8, 8), **args)
        variables = model.init(jax.random.key(0), images(), train=False)
        return np.asarray(model.apply(variables, inputs, train=False).logits)

    other = images()._replace(feature=images().feature + 1)
    assert (logits_of(images()) == logits_of(other)).all()
    assert (logits_of(images(), features=True) != logits_of(other, features=True)).any()
    unknown = other._replace(feature_mask=np.zeros((3, 4), bool))
    unknown, also = jax.device_put(
        (unknown, unknown._replace(feature=other.feature + 1))
    )
    np.testing.assert_array_equal(
        logits_of(unknown, features=True), logits_of(also, features=True)
    )


def test_a_wrong_number_of_widths_is_an_error():
    with pytest.raises(ValueError, match=r"widths \(4, 4\)\. Give one number"):
        CnnDmdt(3, (4, 4)).init(jax.random.key(0), images(), train=False)


def test_the_benchmark_counts_the_pairs_of_maps():
    generator = np.random.default_rng(0)
    band = generator.integers(0, 2, 40)
    mjd = np.sort(58000 + 100 * generator.random(40))
    record = curve_of(mjd, generator.uniform(15, 16, 40), band)
    pairs = sum(n * (n - 1) / 2 for n in np.bincount(band))
    maps = [
        dmdt.pair_counts(mjd[band == k], -2.5 * np.log10(record.flux[band == k]))
        for k in (0, 1)
    ]
    assert representations.pairs_of(record) == pairs == np.sum(maps)
    row = representations.measure([record] * 3, representations.CASES[1], repeats=2)
    stars, found, _ = row.measures.values()
    np.testing.assert_allclose(found.median, stars.median * pairs)
