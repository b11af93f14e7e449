"""Feature sets of light curves and alerts."""

import numpy as np
import pytest

from jaxastro.baselines.features import (
    FEATURE_SETS,
    MIN_POINTS,
    feature_names,
    feature_sets_of,
    features_of,
    strongest_sets,
)
from jaxastro.data.light_curve import make_light_curve_record
from jaxastro.surveys import SURVEYS

ASAS, ZTF, HITS = (SURVEYS[name] for name in ("asas", "ztf_periodic", "hits"))
BY_LIBRARY = ("shape", "period")


def star(magnitude, *, mjd=None, band=0, error=0.01, survey=ASAS, **features):
    flux = 10 ** (-0.4 * np.asarray(magnitude, float))
    mjd = np.arange(flux.size) * 1.0 if mjd is None else mjd
    band = np.resize(band, flux.size).astype(int)
    record, _ = make_light_curve_record(
        "star",
        survey,
        flux=flux,
        flux_error=error * flux,
        mjd=mjd,
        band=band,
        **features,
    )
    return record


def named(record, survey=ASAS, sets=BY_LIBRARY):
    names = feature_names(survey, sets)
    return dict(zip(names, features_of(record, survey, sets), strict=True))


def wave(period=0.37, count=300, days=40.0, seed=0):
    generator = np.random.default_rng(seed)
    mjd = 53000 + np.sort(generator.uniform(0, days, count))
    noise = generator.normal(0, 0.01, count)
    return 10 + 0.3 * np.sin(2 * np.pi * mjd / period) + noise, mjd


def test_features_of_a_rising_line_by_hand():
    found = named(star([0, 1, 2, 3, 4]))
    assert found["V_amplitude"] == pytest.approx(2)  # half of peak to peak
    assert found["V_median"] == pytest.approx(2)
    assert found["V_standard_deviation"] == pytest.approx(np.sqrt(2.5))
    # Four steps of 1, squared, over (5 - 1) 2.5.
    assert found["V_eta"] == pytest.approx(0.4)
    assert found["V_linear_trend"] == pytest.approx(1)  # a magnitude a day


@pytest.mark.parametrize("period", [0.0921, 0.37, 3.3])
def test_the_best_period_is_the_true_one_and_its_folded_curve_is_smooth(period):
    magnitude, mjd = wave(period)
    found = named(star(magnitude, mjd=mjd))
    step = 1 / (3 * np.ptp(mjd))  # of frequency
    assert 10 ** -found["log_period"] == pytest.approx(1 / period, abs=step / 2)
    assert found["V_folded_eta"] < 0.1 < found["V_eta"]
    assert found["V_harmonic_power"] > 0.98
    assert found["V_amplitude_21"] < 0.05  # a sine has no second harmonic


def test_unequal_minima_are_visible_at_twice_the_period():
    mjd = wave()[1]
    angle = 2 * np.pi * mjd / 0.8  # eclipses 0.4 days apart, every other one deeper
    found = named(star(10 - 0.3 * np.cos(2 * angle) - 0.06 * np.cos(angle), mjd=mjd))
    assert 10 ** found["log_period"] == pytest.approx(0.4, rel=2e-3)
    assert found["V_odd_to_even"] == pytest.approx(0.2, abs=0.01)
    assert found["V_folded_twice_eta"] < found["V_folded_eta"]


def test_the_order_of_the_points_does_not_matter():
    magnitude, mjd = wave(count=60)
    mjd[10:20] = mjd[10]  # some at one time
    record = star(magnitude, mjd=mjd, band=np.arange(60) % 2, survey=ZTF)
    shuffled = np.random.default_rng(1).permutation(60)
    other = record._replace(
        **{name: getattr(record, name)[shuffled] for name in record.OF_EPOCHS}
    )
    one = features_of(record, ZTF, BY_LIBRARY)
    np.testing.assert_array_equal(one, features_of(other, ZTF, BY_LIBRARY))
    assert np.isfinite(one).all()


def test_brightness_changes_medians_only():
    magnitude, mjd = wave(count=40)
    one, fainter = (named(star(magnitude + add, mjd=mjd)) for add in (0, 2))
    assert fainter.pop("V_median") == pytest.approx(one.pop("V_median") + 2)
    for name, value in one.items():
        assert fainter[name] == pytest.approx(value, rel=1e-3, abs=1e-4), name


@pytest.mark.parametrize("count", range(MIN_POINTS + 3))
@pytest.mark.parametrize("flux", [[3.0], [3.0, 1.0, 2.0], [0.0], [-5.0, 5.0]])
def test_short_constant_and_negative_light_curves_have_finite_features_or_nan(
    count, flux
):
    record = star(np.zeros(9))
    record = record._replace(
        **{name: getattr(record, name)[:count] for name in record.OF_EPOCHS}
    )
    record = record._replace(flux=np.resize(np.float32(flux), count))
    values = features_of(record, ASAS, BY_LIBRARY)
    assert not np.isinf(values).any()
    assert np.isnan(values).all() == (count < MIN_POINTS)


def test_a_band_without_points_has_nan_and_does_not_affect_others():
    magnitude, mjd = wave(count=40)
    in_g = star(magnitude, mjd=mjd, band=0, survey=ZTF)
    both = star([*magnitude, 9.5], mjd=[*mjd, mjd[3]], band=[0] * 40 + [1], survey=ZTF)
    one, other = (named(record, ZTF) for record in (in_g, both))
    assert all(np.isnan(one[name]) for name in one if name.startswith("r_"))
    assert np.isnan(one["g-r"])
    np.testing.assert_equal(one, other)


def test_a_flux_below_its_error_counts_as_a_limit():
    record = star(np.arange(6) * 0.1)
    flux = record.flux.copy()
    flux[0], error = -3.0, record.flux_error.copy()
    error[0] = 0.5
    faint = record._replace(flux=flux, flux_error=error)
    limit = record._replace(flux=np.where(flux < 0, 0.5, flux).astype("f4"))
    limit = limit._replace(flux_error=error)
    np.testing.assert_equal(named(faint), named(limit))


def test_the_catalogue_set_has_no_observing_columns():
    columns = {"Per": 10.0, "gmag": 15.0, "rmag": 14.0, "Amp_g": 0.6, "Amp_r": 0.4}
    record = star([], survey=ZTF, features=columns | {"Num_g": 70.0, "T_0": 58000.0})
    found = named(record, ZTF, ("catalogue",))
    assert found["log_Per"] == pytest.approx(1)
    assert found["gmag-rmag"] == pytest.approx(1)
    assert found["Amp_g/Amp_r"] == pytest.approx(1.5)
    assert np.isnan(found["sin_phi21"])
    assert not {"Num_g", "Num_r", "T_0"} & set(found)


def test_features_do_not_depend_on_the_number_of_points():
    magnitude, mjd = wave(count=400)
    thinned = star(magnitude[::2], mjd=mjd[::2])
    one, other = named(star(magnitude, mjd=mjd), sets=("shape",)), named(thinned)
    for name in set(one) - {"V_eta", "V_eta_e", "V_cusum"}:  # of steps and gaps
        assert other[name] == pytest.approx(one[name], rel=0.25, abs=0.05), name


def test_each_kind_of_record_has_feature_sets():
    assert feature_sets_of(HITS) == ("aperture",)
    assert feature_sets_of(SURVEYS["sdss_sn"]) == ("aperture", "matched")
    assert feature_sets_of(ZTF) == ("steady", "shape", "period", "catalogue")
    assert feature_sets_of(SURVEYS["ztf_alerts"]) == ("metadata",)
    assert {one.kind for one in FEATURE_SETS.values()} == {
        "series",
        "light_curve",
        "alerts",
    }
    assert len(feature_names(ASAS, ("shape",))) == 27
    assert len(set(feature_names(ZTF, feature_sets_of(ZTF)))) == len(
        feature_names(ZTF, feature_sets_of(ZTF))
    )


def test_the_strongest_sets_need_no_period_search():
    assert strongest_sets(HITS) == ("aperture",)
    assert strongest_sets(SURVEYS["sdss_sn"]) == ("matched",)
    assert strongest_sets(ZTF) == ("shape", "catalogue")
    assert strongest_sets(SURVEYS["sdss_handscan"]) == ()


def test_a_set_of_another_kind_of_record_is_an_error():
    with pytest.raises(ValueError, match=r"'shape' for hits, .* has aper"):
        feature_names(HITS, ("shape",))


def test_the_steady_set_does_not_depend_on_variability():
    magnitude, mjd = wave(count=40)
    band = np.arange(40) % 2
    curve = star(magnitude + band, mjd=mjd, band=band, survey=ZTF)
    found = named(curve, ZTF, ("steady",))
    medians = [np.median(magnitude[band == k]) + k for k in (0, 1)]
    assert [found["steady_g"], found["steady_r"]] == pytest.approx(medians, abs=1e-4)
    assert found["steady_g-r"] == pytest.approx(medians[0] - medians[1], abs=1e-4)
    dealt = np.empty(40, int)
    for k in (0, 1):
        dealt[band == k] = np.random.default_rng(k).permutation(
            np.flatnonzero(band == k)
        )
    other = curve._replace(flux=curve.flux[dealt], flux_error=curve.flux_error[dealt])
    assert named(other, ZTF, ("steady",)) == found
