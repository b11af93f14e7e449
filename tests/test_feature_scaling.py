"""Rank scaling of catalogue columns and alert metadata."""

import numpy as np

from jaxastro.data.feature_scaling import fit_feature_ranks, scale_features
from jaxastro.data.light_curve import make_light_curve_record
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["ztf_periodic"]
COLUMNS = [name for name, _ in SURVEY.columns]


def star(**features):
    none = np.zeros(0)
    columns = {"flux": none, "flux_error": none, "mjd": none, "band": none.astype(int)}
    return make_light_curve_record("star", SURVEY, **columns, features=features)[0]


def scale_record(records, record):
    scaled, known = scale_features(
        record.features, fit_feature_ranks(r.features for r in records)
    )
    return dict(zip(COLUMNS, scaled, strict=True)), known


def test_hours_and_years_are_resolved_equally():
    generator = np.random.default_rng(0)
    days = 10 ** np.concatenate([generator.normal(-1, 0.1, 700), [2, 2.5, 3] * 100])
    stars = [star(Per=period, R21=0.3) for period in days]
    found = np.array([scale_record(stars, one)[0]["Per"] for one in stars])
    order = np.argsort(days, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert abs(found.mean()) < 0.02
    assert abs(found.std() - 1) < 0.05
    assert found[order[500]] - found[order[200]] > 0.8
    assert scale_record(stars, star(Per=1e9))[0]["Per"] == np.float32(np.sqrt(3))
    assert (
        scale_record(stars, star(Per=1e9, R21=0.3))[0]["R21"] == 0
    )  # the value of all training objects


def test_unknown_values_are_zero_masked_and_not_used():
    stars = [star(Per=period) for period in (1.0, 2.0, np.nan, 3.0)]
    found, known = scale_record(stars, stars[2])
    assert not known.any()
    assert set(found.values()) == {0}
    assert scale_record(stars, stars[1])[0]["Per"] == 0  # the median of three
    # Without training values the scaled value is 0, and the mask is True.
    scaled, known = scale_features(
        star(T_0=58000.0).features, fit_feature_ranks(s.features for s in stars)
    )
    assert np.isfinite(scaled).all()
    assert known.sum() == 1


def test_values_of_epochs_and_objects_are_scaled_equally():
    values = np.random.default_rng(0).normal(size=(5, 4, 3)) ** 3
    values[0, 1] = np.nan
    ranks = fit_feature_ranks(values)
    assert ranks == fit_feature_ranks(values.reshape(-1, 3))
    for of_object in values:
        scaled, known = scale_features(of_object, ranks)
        for t, epoch in enumerate(of_object):
            np.testing.assert_array_equal(scaled[t], scale_features(epoch, ranks)[0])
            np.testing.assert_array_equal(known[t], np.isfinite(epoch))
