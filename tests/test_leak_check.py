"""Leak tests, nuisance groups, duplicates, and the check of whole data sets."""

import json
import os

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from data_builders import __main__ as command
from data_builders.opening import prepare
from data_builders.sdss.sdss_sn_sim import SdssSnSim
from jaxastro.data.alert import Alert, HistoryRow, make_alert_record
from jaxastro.data.cutout import CutoutRecord
from jaxastro.data.light_curve import make_light_curve_record
from jaxastro.data.series import make_series_record
from jaxastro.data.sky import close_pairs
from jaxastro.leakage import data_set_check, leak_test
from jaxastro.leakage.leak_test import find_leak, out_of_fold, weighted_auc
from jaxastro.leakage.nuisance_groups import (
    ONE_EPOCH,
    RAW_SKY,
    measure_groups,
    name_ranks,
    sky_is_in_images,
)
from jaxastro.surveys import SURVEYS

SIM, HITS = SURVEYS["sdss_sn_sim"], SURVEYS["hits"]
CURVES = SURVEYS["asas"]
ALERTS = SURVEYS["ztf_alerts"]


def series(number, *, sky=0.0, light=0.0, epochs=9, **named):
    rng = np.random.default_rng(number)
    flux = rng.normal(sky, 1, (epochs, 32, 32))
    flux[:, 14:18, 14:18] += light
    mjd = 53000 + rng.uniform(0, 700, epochs)
    fields = {"ra": rng.uniform(0, 360), "dec": rng.uniform(-90, 90)} | named
    fields |= {"flux": flux, "mjd": mjd, "band": rng.integers(0, 5, epochs)}
    record, _ = make_series_record(f"{rng.integers(10**9):09d}", SIM, **fields)
    return record


# -- the leak test ---------------------------------------------------------------------


def test_the_area_equals_scikit_learn_with_ties_and_weights():
    rng = np.random.default_rng(0)
    label, score = rng.random(200) < 0.3, rng.integers(0, 9, 200) / 9
    times = rng.integers(0, 4, (5, 200))
    found = weighted_auc(label, score, times)
    for row, area in zip(times, found, strict=True):
        one, other = np.repeat(label, row), np.repeat(score, row)
        assert area == pytest.approx(roc_auc_score(one, other), abs=1e-12)
    assert weighted_auc(label & False, score, times).tolist() == [0.5] * 5


@pytest.mark.parametrize("seed", range(3))
def test_features_independent_of_the_labels_are_no_leak(seed):
    rng = np.random.default_rng(seed)
    features, label = rng.normal(size=(240, 5)), rng.integers(0, 3, 240)
    finding = find_leak(features, label, np.arange(240), seed=seed)
    assert not finding.is_leak
    assert finding.auc.low < 0.5 < finding.chance_auc


def test_a_leak_of_one_rare_class_of_ten_is_found():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 10, 600)
    features = rng.normal(size=(600, 3))
    features[label == 7, 1] += 4
    finding = find_leak(features, label, np.arange(600))
    assert finding.leaked_classes.tolist() == [k == 7 for k in range(10)]
    assert finding.is_leak


def test_features_that_identify_the_group_are_no_leak():
    # Each group has its own value and mostly one class.
    rng = np.random.default_rng(0)
    group = rng.integers(0, 40, 400)
    label = np.where(rng.random(400) < 0.9, (group * 7919 % 100 < 50).astype(int), 0)
    assert not find_leak(rng.normal(size=40)[group][:, None], label, group).is_leak


def test_objects_are_tested_on_forests_of_other_groups(monkeypatch):
    seen = []

    def spy(train, label, test, **_):
        seen.append((set(train[:, 0]), set(test[:, 0])))
        return np.full((len(test), 2), 0.5)

    monkeypatch.setattr(leak_test, "nuisance_baseline", spy)
    group = np.repeat(np.arange(12), 5)
    label = np.arange(60) % 2
    out_of_fold(group[:, None].astype(float), label, group, seed=0)
    assert len(seen) == leak_test.NUM_FOLDS
    assert not any(train & test for train, test in seen)


def test_a_class_in_one_group_is_an_error():
    with pytest.raises(ValueError, match="Class 1 lies in 1 group"):
        out_of_fold(np.zeros((4, 1)), np.array([0, 0, 1, 1]), [1, 2, 3, 3], seed=0)


# -- nuisance groups -------------------------------------------------------------------


def test_the_sky_level_is_a_nuisance_only_if_images_include_the_sky():
    dark = data_set_check.measure_objects([series(i) for i in range(12)], SIM)
    bright = data_set_check.measure_objects(
        [series(i, sky=100) for i in range(12)], SIM
    )
    assert (dark.has_sky, bright.has_sky) == (False, True)
    assert (
        dark.feature_groups["background"].shape[1] == 3
    )  # sky offset, noise and its scatter
    level, variance = bright.feature_groups["background"].T
    np.testing.assert_allclose(level, 100, atol=0.5)
    np.testing.assert_allclose(variance, 0.01, rtol=0.2)  # noise 1, squared, by 100


def test_a_few_bright_hosts_are_not_taken_for_sky():
    level = np.where(np.arange(100) < 80, 50.0, 0.1)
    assert not sky_is_in_images(level, np.ones(100))
    assert sky_is_in_images(level + 4, np.ones(100))
    assert not sky_is_in_images(np.full(3, np.nan), np.zeros(3))


def test_nuisances_do_not_depend_on_the_object_and_one_epoch_does():
    faint, bright = (
        measure_groups(series(1), SIM),
        measure_groups(series(1, light=900), SIM),
    )
    assert str(faint.pop(ONE_EPOCH)) != str(bright.pop(ONE_EPOCH))
    assert str(faint) == str(bright)


def test_every_kind_of_record_has_nuisance_groups():
    rng = np.random.default_rng(0)
    curve, _ = make_light_curve_record(
        "a", CURVES, flux=[1, 2, 3], flux_error=[1, 1, 1], mjd=[1, 2, 9], band=[0] * 3
    )
    stamps = tuple(rng.normal(200, 1, (3, 63, 63)))
    alert = Alert(alert_id=1, mjd=58000.0, band="g", stamps=stamps, metadata={})
    history = [HistoryRow(mjd=57990.0, band="g", kind=1, flux=5.0, flux_error=1.0)]
    alerts, _ = make_alert_record("b", ALERTS, alerts=[alert], history=history)
    words = ("c", 1.0, 2.0, "Unknown", "none", "", np.nan, "c")
    cutout = CutoutRecord(*words, image=rng.normal(size=(30, 40, 3)).astype("f4"))
    schedule = {"length", "season", "bands"}
    images = {"background", RAW_SKY, "conditions"}
    for record, survey, expected in (
        (curve, CURVES, schedule),
        (alerts, ALERTS, schedule | images),
        (cutout, SURVEYS["sdss_handscan"], schedule | images),
        (series(0), SIM, schedule | images),
    ):
        assert set(measure_groups(record, survey)) == expected | {"position", ONE_EPOCH}
    assert measure_groups(curve, CURVES)["length"]["num_epochs"] == 3
    assert measure_groups(alerts, ALERTS)["length"]["history_1"] == 1
    assert measure_groups(cutout, CURVES)["conditions"]["width"] == 40


def test_a_record_without_epochs_or_with_bad_pixels_only_has_nuisance_groups():
    empty, _ = make_light_curve_record(
        "a",
        SURVEYS["ztf_periodic"],
        **{name: [] for name in ("flux", "flux_error", "mjd")},
        band=np.zeros(0, int),
        features={SURVEYS["ztf_periodic"].columns[0][0]: 1.0},
    )
    assert measure_groups(empty, SURVEYS["ztf_periodic"])["length"]["num_epochs"] == 0
    blind = series(0)
    blind = blind._replace(bad_pixel=np.ones_like(blind.bad_pixel))
    for group in ("background", RAW_SKY):
        assert np.isnan(list(measure_groups(blind, SIM)[group].values())).all()


def test_names_are_in_natural_order():
    assert name_ranks(["b2", "b10", "a"]).tolist() == [0.5, 1, 0]
    assert name_ranks(["10", "9", "x", ""]).tolist() == [2 / 3, 1 / 3, 1, 0]


# -- duplicates ------------------------------------------------------------------------


def test_duplicates_are_found_by_position_name_and_content():
    one = series(0, ra=359.9999, dec=10.0, group="A")
    near = series(1, ra=0.0003, dec=10.0, group="B")
    near_in_group = series(2, ra=0.0003, dec=10.0, group="A")  # in the same group
    copy = one._replace(object_id="other", ra=50.0, group="C")
    there = data_set_check.measure_objects([one, near, near_in_group, copy], SIM)
    again = data_set_check.measure_objects(
        [near._replace(ra=1.0, group="D", flux=one.flux)], SIM
    )
    found = data_set_check.find_duplicates({"there": there, "again": again})
    assert {pair.why for pair in found} == {
        "same position",
        "same name",
        "same content",
    }
    assert (
        data_set_check.Duplicate(
            "same name", f"there: {near.object_id}", f"again: {near.object_id}"
        )
        in found
    )
    assert ("same content", f"there: {one.object_id}", "there: other") in found
    assert sum(pair.why == "same position" for pair in found) == 2
    assert len(close_pairs([np.nan, np.nan], [0.0, 0.0])) == 0


# -- whole data sets -------------------------------------------------------------------


def test_real_hits_is_flagged(tmp_path, capsys):
    if not os.environ.get("JAXASTRO_DATA"):
        pytest.skip("JAXASTRO_DATA is not set: real HiTS stamps are needed")
    report = tmp_path / "leaks.png"
    options = (f"--data_dir={tmp_path}", "--json", f"--report={report}")
    assert command.main(["leaks", "hits", *options]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {"hits: length", "hits: season", "hits: background"} <= set(found["leaks"])
    nuisances = found["data_sets"]["hits"]["nuisances"]
    assert "NonVariable" in nuisances["length"]["leaked_classes"]
    assert nuisances["length"]["auc_of_class"]["NonVariable"] > 0.95
    assert not nuisances[ONE_EPOCH]["is_leak"]
    assert found["data_sets"]["hits"]["sky_in_images"] is True
    assert report.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_simulated_survey_passes(tmp_path, capsys, monkeypatch):
    (laptop,) = (c for c in SdssSnSim.BUILDER_CONFIGS if c.name == "laptop")
    # Forests take most of the time.
    monkeypatch.setattr(laptop, "preset", laptop.preset._replace(objects=800))
    options = (f"--data_dir={tmp_path}",)
    assert command.main(["leaks", "sdss_sn_sim/laptop", *options]) == 0
    out = capsys.readouterr().out
    assert "The sky was subtracted" in out
    assert "Leaks: none." in out
    assert "LEAK\n" not in out


def test_classes_with_few_objects_are_excluded(data_dir, capsys):
    options = (f"--data_dir={data_dir}", "--classes=AGN,SNIa")
    assert command.main(["leaks", "sdss_sn_sim/tiny", *options]) == 0
    out = capsys.readouterr().out
    assert "AGN is left out: 5 objects, 10 are needed." in out
    assert "Leaks: none, as nothing was tested." in out


def test_a_data_set_given_twice_is_an_error(data_dir, capsys):
    prepare("sdss_sn_sim/tiny", data_dir=data_dir)
    names = ["sdss_sn_sim/tiny", "sdss_sn_sim/tiny"]
    assert command.main(["leaks", *names, f"--data_dir={data_dir}"]) == 2
    assert "sdss_sn_sim/tiny is given twice" in capsys.readouterr().err
