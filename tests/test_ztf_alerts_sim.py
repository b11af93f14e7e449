"""Simulated alerts: packets as ZTF writes them, read through the door of real ones."""

import gzip
import io
import json
import os
from pathlib import Path

import fastavro
import numpy as np
import pytest
from astropy.io import fits

from configs import base
from data_builders.ztf import ztf_alerts, ztf_alerts_sim
from jaxastro.alerts import ztf_write
from jaxastro.alerts.ztf import make_ztf_record, read_packet
from jaxastro.alerts.ztf_stamp import read_stamp
from jaxastro.data.alert import DETECTION, LIMIT
from jaxastro.data.hierarchy import expand_classes
from jaxastro.data.loader import class_index
from jaxastro.simulation import alerts, observing, scene
from jaxastro.simulation.artefacts import ARTEFACTS

SURVEY = alerts.SURVEY
COLUMNS = [name for name, _ in SURVEY.columns]


def first_of(kind, seed=0, most=20, fewest=1):
    """The packets of the first object of a kind that was detected so often."""
    for number in range(50):
        packets = alerts.simulate_packets(kind, number=number, seed=seed, most=most)
        if len(packets) >= fewest:
            return packets
    raise AssertionError(f"no {kind} of 50 was detected {fewest} times")


def record_of(packets):
    found = [read_packet(packet, SURVEY) for packet in packets]
    name = packets[0]["objectId"]
    return make_ztf_record(name, SURVEY, found, label="SN", group="one")[0]


def number_of(record, name):
    return record.metadata[:, COLUMNS.index(name)]


# -- packets ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", alerts.KINDS)
def test_a_night_that_is_written_is_read_back_to_the_same_records(kind, tmp_path):
    packets = first_of(kind, most=4)
    night = tmp_path / "night.avro"
    with night.open("wb") as file:
        ztf_write.write_packets(file, packets)
    (reading,) = ztf_alerts.read(night)
    expected = record_of(packets)
    for name in expected.OF_EPOCHS:
        found, wanted = getattr(reading.record, name), getattr(expected, name)
        if name == "metadata":  # the file's are float32
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)
        else:
            np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(reading.record.history_mjd, expected.history_mjd)


def test_stamps_are_files_that_astropy_reads_to_the_same_bits():
    stamp = np.random.default_rng(0).normal(100, 9, (63, 63)).astype(np.float32)
    stored = ztf_write.stamp_file(stamp)
    np.testing.assert_array_equal(read_stamp(stored), stamp)
    with fits.open(io.BytesIO(gzip.decompress(stored))) as hdus:
        hdus.verify("exception")
        np.testing.assert_array_equal(hdus[0].data, stamp)


def test_a_field_that_no_packet_has_is_refused():
    with pytest.raises(ValueError, match="no field 'magpfs'"):
        ztf_write.make_packet("ZTF1", {"candid": 1, "magpfs": 3}, history=[], stamps=())


@pytest.mark.parametrize(
    "name", ["alert", "candidate", "prv_candidate", "fp_hist", "cutout"]
)
def test_the_schema_is_the_public_one_name_by_name(name):
    if not os.environ.get("JAXASTRO_DATA"):
        pytest.skip("JAXASTRO_DATA is not set: no published schema to compare with")
    folder = Path(os.environ["JAXASTRO_DATA"]) / "ztf_alerts" / "schema"
    published = json.loads((folder / f"{name}.avsc").read_text())
    parsed = fastavro.parse_schema(ztf_write.schema())

    def records(node):
        if isinstance(node, dict):
            if node.get("type") == "record":
                yield node["name"].rpartition(".")[2], node["fields"]
            for value in node.values():
                yield from records(value)
        elif isinstance(node, list):
            for value in node:
                yield from records(value)

    def plain(kind):
        kinds = kind if isinstance(kind, list) else [kind]
        return [k if isinstance(k, str) else "other" for k in kinds if k != "null"]

    ours = {f["name"]: f["type"] for f in dict(records(parsed))[name]}
    assert list(ours) == [field["name"] for field in published["fields"]]
    for field in published["fields"]:
        if name in ("candidate", "prv_candidate", "fp_hist"):
            assert plain(ours[field["name"]]) == plain(field["type"]), field["name"]


# -- what is in them ----------------------------------------------------------------


def test_the_same_number_and_seed_give_the_same_packets_and_others_do_not():
    one, again = first_of("SNIa", most=2), first_of("SNIa", most=2)
    assert one == again
    assert first_of("SNIa", seed=1, most=2) != one


def test_an_object_grows_by_the_alerts_that_are_added_and_no_other():
    few, many = first_of("AGN", most=3), first_of("AGN", most=6)
    assert few == many[: len(few)]


def test_positions_and_times_are_independent_of_the_class():
    places = {
        kind: first["candidate"]["ra"]
        for kind in ("AGN", "SNIa", "RRLyrae", "cosmic_ray")
        for first in alerts.simulate_packets(kind, number=4, seed=0)[:1]
    }
    assert len(places) >= 3
    assert len(set(places.values())) == 1
    fields = [alerts.field_of(number, 0) for number in range(3000)]
    assert np.bincount(fields, minlength=alerts.NUM_FIELDS).min() > 0


def test_a_detection_is_in_the_history_and_a_frame_without_one_is_a_limit():
    packets = first_of("SNIa", fewest=4)
    record = record_of(packets)
    assert len(record.mjd) == len(packets)
    detected = record.history_kind == DETECTION
    assert detected.sum() == len(packets)
    assert (record.history_kind == LIMIT).any()
    np.testing.assert_allclose(record.history_mjd[detected], record.mjd, atol=1e-6)
    age = record.mjd - record.mjd[0]
    np.testing.assert_allclose(number_of(record, "age"), age, atol=1e-6)
    np.testing.assert_array_equal(
        number_of(record, "ndethist"), np.arange(len(packets)) + 1
    )
    for packet, mjd in zip(packets, record.mjd, strict=True):
        before = [row["jd"] - 2400000.5 for row in packet["prv_candidates"] or ()]
        assert all(0 < mjd - day <= alerts.HISTORY_DAYS for day in before)


def test_differences_have_the_sign_of_the_change():
    record, signs = record_of(first_of("RRLyrae")), set()
    for t, sign in enumerate(number_of(record, "isdiffpos")):
        middle = record.stamp[t, 30:33, 30:33, 2].mean()
        assert np.sign(middle) == sign
        signs.add(sign)
    assert signs == {-1, 1}


def test_a_supernova_is_new_and_a_star_is_in_the_reference():
    record = record_of(first_of("RRLyrae"))
    template = record.stamp[0, ..., 1]
    assert template[31, 31] - np.median(template) > 100  # ADU
    asteroid = record_of(first_of("Asteroid"))
    assert len(asteroid.mjd) == 1
    stamp = asteroid.stamp[0]
    middle = [stamp[30:33, 30:33, c].mean() - np.median(stamp[..., c]) for c in (0, 2)]
    assert min(middle) > 0
    assert abs(middle[0] - middle[1]) < 0.35 * middle[1]


@pytest.mark.parametrize("kind", ARTEFACTS)
def test_every_artefact_is_detected_and_called_bogus(kind):
    assert alerts.KINDS[kind][0] == "Bogus"
    packets = first_of(kind)
    assert abs(packets[0]["candidate"]["scorr"]) >= alerts.DETECTION
    assert len(packets) <= 2


def test_photometry_finds_the_flux_of_a_point_within_its_error():
    log = alerts.observing_log(0, 0)
    one = observing.ObservingLog(*(column[:1] for column in log))
    star = scene.render(
        scene.point(np.zeros(2), np.array([1000.0])),
        psf_fwhm=one.psf_fwhm,
        centre=np.full((1, 2), alerts.SIZE // 2),
        pixel_scale=alerts.SCALE,
        size=alerts.SIZE,
    )[0]
    rng = np.random.default_rng(0)
    pulls = []
    for _ in range(200):
        found = alerts.measure(star + rng.normal(0, 12, star.shape), one)
        flux = 10 ** (-0.4 * (found["magpsf"] - one.zero_point[0]))
        pulls.append((flux - 1000) / (flux / found["scorr"]))
    assert abs(np.mean(pulls)) < 0.25
    assert np.std(pulls) == pytest.approx(1, abs=0.15)


def test_objects_of_the_data_set_are_named_labelled_and_grouped_by_field():
    readings = [ztf_alerts_sim.reading_of(n, seed=0) for n in range(25)]
    seen = [reading.record for reading in readings]
    assert all(record is not None for record in seen)
    labels = {record.label for record in seen}
    assert labels <= set(alerts.KINDS) == set(base.ALERT_KINDS)
    assert {alerts.KINDS[label][0] for label in labels} == set(ztf_alerts_sim.SHARE)
    for record in seen:
        assert record.truth == record.label
        assert record.label_source == "simulated"
        assert record.group.startswith("field")
        assert len(record.mjd) <= ztf_alerts_sim.MOST
    assert len({record.object_id for record in seen}) == len(seen)


def test_the_classes_of_kinds_are_those_of_the_hierarchy():
    kinds = expand_classes(base.ALERT_CLASSES, base.ALERT_HIERARCHY)
    for kind, (label, _) in alerts.KINDS.items():
        (place,) = class_index(np.array([kind]), kinds)
        assert base.ALERT_CLASSES[place] == label


def test_an_unknown_kind_is_an_error():
    with pytest.raises(ValueError, match=r"No alerts of kind 'SNIax'.*SNIa"):
        alerts.simulate_packets("SNIax", number=0, seed=0)


def test_objects_that_are_not_detected_are_set_aside(monkeypatch):
    monkeypatch.setattr(ztf_alerts_sim, "simulate_packets", lambda *_, **__: [])
    reading = ztf_alerts_sim.reading_of(0, seed=0)
    assert reading.record is None
    assert "never detected" in reading.notes[0]
