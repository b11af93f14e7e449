"""Folded curves by hand and their invariances, and the networks on them."""

import jax
import numpy as np
import pytest
from support.runs import spec_of

from configs import cnn_lstm_folded, hybrid
from jaxastro.data.light_curve import make_light_curve_record
from jaxastro.models.cnn_lstm_folded import CnnLstmFolded
from jaxastro.models.hybrid import Hybrid
from jaxastro.representations import dmdt, folded, folded_and_map
from jaxastro.runs.dataset import uses_catalogue
from jaxastro.runs.model_building import reads_catalogue
from jaxastro.surveys import SURVEYS
from jaxastro.types import FoldedAndMap, Image

SURVEY = SURVEYS["ztf_periodic"]  # two bands, and features
PHASE = np.arange(360) / 360


def light(phase):
    """Returns magnitudes above the mean: a fast rise to phase 0, a slow decline."""
    angle = 2 * np.pi * phase
    return 0.5 * np.cos(angle) + 0.2 * np.cos(2 * angle + 0.6)


def curve_of(mjd, band, brighter, *, noise=0.0, **features):
    magnitude = 15 - brighter + np.random.default_rng(0).normal(0, noise, len(mjd))
    flux = 10 ** (-0.4 * magnitude)
    columns = {"mjd": mjd, "flux": flux, "flux_error": 0.01 * flux, "band": band}
    return make_light_curve_record("star", SURVEY, **columns, features=features)[0]


def star(days=0.57, count=200, late=0.0, **features):
    generator = np.random.default_rng(1)
    mjd = 58000 + np.sort(generator.uniform(0, 700, count))
    band = generator.integers(0, 2, count)
    return curve_of(mjd, band, light((mjd - late) / days), **features or {"Per": days})


def drawn(curve, normalisation="fitted", survey=SURVEY, max_epochs=500):
    how = {"normalisation": normalisation}
    how["statistics"] = folded.fit_statistics([curve], survey=survey, **how)
    return folded.make_example(curve, max_epochs=max_epochs, **how)


def test_golden_harmonic_curve():
    given = {"gmag": 16.0, "Amp_g": 1.0, "rmag": 15.0, "Amp_r": 0.4}
    curve = star(R21=0.5, phi21=np.pi, **given)
    statistics = folded.fit_statistics([curve], normalisation="harmonic", survey=SURVEY)
    (mean, deviation), (spread,) = statistics["level"], statistics["spread"]
    assert (mean, deviation) == pytest.approx((15.5, 0.5))
    image = drawn(curve, "harmonic").image
    assert image.shape == (360, 1, 2)
    level = (15 - mean) / deviation
    magnitude = 15 + np.sinh(image[:, 0, 1] - level) * spread
    expected = {0: 15 + 0.2 - 0.1, 90: 15 + 0.1, 180: 15 - 0.2 - 0.1, 270: 15 + 0.1}
    for place, value in expected.items():
        assert magnitude[place] == pytest.approx(value, abs=1e-5)


def test_missing_catalogue_values_give_zeros_and_missing_columns_an_error():
    half = star(Per=0.57, R21=0.5, phi21=4.0, rmag=15.0, Amp_r=0.4)
    image = drawn(half, "harmonic").image
    assert not image[..., 0].any()
    assert image[..., 1].any()
    with pytest.raises(ValueError, match="survey asas has no column 'Vmag'"):
        folded.fit_statistics([], normalisation="harmonic", survey=SURVEYS["asas"])


def test_a_fit_recovers_the_curve_and_starts_at_maximum_light():
    curve = star()
    image = drawn(curve).image
    statistics = folded.fit_statistics([curve], normalisation="fitted", survey=SURVEY)
    brighter = np.sinh(image[:, 0]) * statistics["spread"][0]
    fine = np.arange(3600) / 3600
    top = fine[light(fine).argmax()]
    for band in (0, 1):
        np.testing.assert_allclose(brighter[:, band], light(PHASE + top), atol=0.02)
    assert image[:, 0].argmax(0).max() <= 1


def test_order_of_points_shifts_by_a_period_and_unit_do_not_matter():
    days, generator = 0.57, np.random.default_rng(2)
    mjd, band = generator.uniform(58000, 58700, 150), generator.integers(0, 2, 150)
    brighter, order = light(mjd / days), generator.permutation(150)
    here = drawn(curve_of(mjd, band, brighter, Per=days)).image
    for there in (
        curve_of(mjd[order], band[order], brighter[order], Per=days),
        curve_of(mjd + days, band, brighter, Per=days),
        curve_of(mjd + 0.123, band, brighter, Per=days),
        curve_of(mjd, band, brighter + 7, Per=days),
    ):
        np.testing.assert_allclose(drawn(there).image, here, atol=2e-3)


def test_bands_keep_their_phase_difference():
    mjd = np.random.default_rng(3).uniform(58000, 58700, 300)
    band = (np.arange(300) % 3 == 0).astype(int)  # a third in r
    lag = curve_of(mjd, band, np.cos(2 * np.pi * (mjd / 2 - 0.25 * band)), Per=2.0)
    image = drawn(lag).image[:, 0]
    assert min(image[:, 0].argmax(), 360 - image[:, 0].argmax()) <= 1
    assert image[:, 1].argmax() == pytest.approx(90, abs=1)


@pytest.mark.parametrize("given", [0.0, np.nan, -1.0, 1e300, 1e-300])
def test_a_wrong_catalogue_period_is_replaced(given):
    found = drawn(star(days=0.5713, Per=given)).image
    known = drawn(star(days=0.5713, Per=0.5713)).image
    assert abs(found - known).max() < 0.2


def test_few_points_give_zeros():
    none = np.zeros(0)
    bare = curve_of(none, none.astype(int), none, Per=1.0)
    few = star(count=9, Per=1.0)
    dark = star(Per=1.0)
    dark = dark._replace(flux=-dark.flux)
    for curve in (bare, few, dark, bare._replace(features=bare.features * np.nan)):
        example = drawn(curve)
        assert not example.image.any()
        assert np.isfinite(example.feature).all()


def test_folded_and_map_equals_its_two_parts():
    curve, how = star(), {"normalisation": "fitted+share"}
    statistics = folded_and_map.fit_statistics([curve], survey=SURVEY, **how)
    both = folded_and_map.make_example(
        curve, max_epochs=100, statistics=statistics, **how
    )
    for part, name, of in ((folded, "fitted", "folded"), (dmdt, "share", "map")):
        alone = {"normalisation": name, "max_epochs": 100}
        alone["statistics"] = part.fit_statistics(
            [curve], normalisation=name, survey=SURVEY
        )
        one = part.make_example(curve, **alone)
        np.testing.assert_array_equal(getattr(both, of), one.image)
        np.testing.assert_array_equal(both.feature, one.feature)
    blank = folded_and_map.blank(SURVEY, max_epochs=100, num_objects=1)
    assert [a.shape[1:] for a in blank] == [a.shape for a in both]
    with pytest.raises(
        ValueError, match=r"'fitted' of a folded curve and a map\. Give"
    ):
        folded_and_map.fit_statistics([curve], normalisation="fitted", survey=SURVEY)


def test_wrong_settings_are_errors_with_a_message():
    with pytest.raises(ValueError, match=r"named 'loud'\. Known: harmonic, fitted"):
        drawn(star(), "loud")
    pairs = Image(*inputs()[1:])
    with pytest.raises(ValueError, match=r"image of shape \(22, 24, 2\)\. It expects"):
        CnnLstmFolded(3).init(jax.random.key(0), pairs, train=False)


# -- the networks ----------------------------------------------------------------------


def inputs(num_objects=2, bands=2):
    generator = np.random.default_rng(0)
    given = FoldedAndMap(
        folded=generator.random((num_objects, 360, 1, bands)).astype(np.float32),
        map=generator.random((num_objects, 22, 24, bands)).astype(np.float32),
        feature=generator.normal(size=(num_objects, 4)).astype(np.float32),
        feature_mask=np.ones((num_objects, 4), bool),
    )
    return jax.device_put(given)


def count(model, given):
    def init(key):
        return model.init(key, given, train=False)

    shapes = jax.eval_shape(init, jax.random.key(0))
    return sum(leaf.size for leaf in jax.tree.leaves(shapes))


def test_the_network_of_the_thesis_has_its_parameter_count():
    # Convolutions 3 + 1, 3 * 64 + 1, 5 * 128 + 1, 5 * 256 + 1 times their channels;
    # LSTMs 4 h (i + h + 2); dense layers.
    by_hand = 4 * 64 + 193 * 128 + 641 * 256 + 1281 * 256
    by_hand += 4 * 64 * (256 + 64 + 2) + 4 * 128 * (64 + 128 + 2)
    by_hand += 129 * 1024 + 1025 * 512
    curves = inputs(bands=1)
    curves = Image(curves.folded, curves.feature, curves.feature_mask)
    counts = [count(CnnLstmFolded(c), curves) for c in (5, 10)]
    assert counts == [by_hand + 513 * c for c in (5, 10)] == [1_358_213, 1_360_778]
    with_features = count(CnnLstmFolded(5, features=True), curves)
    assert with_features - counts[0] == 2 * 4 * 1024


def test_the_hybrid_has_both_bodies_and_one_head():
    # The two bodies, and a dense layer on 128 + 256 * 5 * 6 values.
    folded_body = 4 * 64 + 193 * 128 + 641 * 256 + 1281 * 256
    folded_body += 4 * 64 * (256 + 64 + 2) + 4 * 128 * (64 + 128 + 2)
    map_body = 10 * 64 + 1601 * 128 + 3201 * 256 + 6401 * 256
    head = (128 + 256 * 5 * 6 + 1) * 1024 + 1025 * 512 + 513 * 5
    assert count(Hybrid(5), inputs(bands=1)) == folded_body + map_body + head
    assert folded_body + map_body + head == 11_886_213


def test_each_input_has_an_effect_and_features_if_requested():
    def logits_of(given, **args):
        small = {"folded_widths": (4,) * 4, "map_widths": (4,) * 4, "states": (4, 4)}
        model = Hybrid(3, **small, hidden=(8, 8), **args)
        variables = model.init(jax.random.key(0), inputs(), train=False)
        return np.asarray(model.apply(variables, given, train=False).logits)

    first = logits_of(inputs())
    for field in ("folded", "map"):
        other = inputs()._replace(**{field: 1 - getattr(inputs(), field)})
        assert (logits_of(other) != first).any()
    other = inputs()._replace(feature=inputs().feature + 1)
    assert (logits_of(other) == first).all()
    assert (logits_of(other, features=True) != logits_of(inputs(), features=True)).any()


@pytest.mark.parametrize(
    ("module", "preset", "is_read"),
    [
        (cnn_lstm_folded, "paper", True),  # computed from the catalogue
        (cnn_lstm_folded, "laptop", False),  # fitted to the light curve
        (hybrid, "laptop", False),
    ],
)
def test_stars_without_a_light_curve_are_excluded_unless_the_catalogue_is_used(
    module, preset, is_read
):
    spec = spec_of(module.get_config(preset))
    name = spec.representation.normalisation

    def is_used(normalisation, features=False):
        changes = {"representation.normalisation": normalisation}
        changes["model.args.features"] = features
        changed = spec.replace(changes)
        return uses_catalogue(changed, reads_catalogue(changed))

    assert uses_catalogue(spec, reads_catalogue(spec)) == is_read
    assert name.startswith("fitted") != is_read
    harmonic = name.replace("fitted", "harmonic")
    fitted = harmonic.replace("harmonic", "fitted")
    assert is_used(harmonic)
    assert not is_used(fitted)
    assert is_used(fitted, features=True)
