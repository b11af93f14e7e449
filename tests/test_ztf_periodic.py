import collections
import csv
import http.server
import json
import os
import threading
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import tensorflow_datasets as tfds

from data_builders.engine.builder import REPORT_FILE
from data_builders.engine.download import DownloadError
from data_builders.ztf import ztf_periodic, ztf_periodic_clean, ztf_periodic_fetch
from data_builders.ztf.ztf_periodic_table import COLUMNS, HEADER_LINES
from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.data.record import record_from_example

NAMES = [name for name, _ in ztf_periodic.SURVEY.columns]
GOOD = {
    **{"ID": "ZTFJ1", "SourceID": "1", "RAdeg": 13.65571, "DEdeg": -6.5, "Type": "RR"},
    **{"Per": 0.5, "R21": 0.4, "phi21": 4.0, "T_0": 58389.3, "gmag": 17.5},
    **{"rmag": 17, "Num_g": 60, "Num_r": 70, "R2_g": 0.9, "R2_r": 0.9},
    **{"Amp_g": 1, "Amp_r": 0.8, "log_FAP_g": -9, "log_FAP_r": -9},
    **{"Per_g": 0.5, "Per_r": 0.5, "R21_g": 0.4, "R21_r": 0.4},
    **{"phi21_g": 4, "phi21_r": 4, "Delta_min_g": 0, "Delta_min_r": 0},
}


def stars(*changes):
    """Rows that pass every step but for what is changed, named 1, 2, 3 ..."""
    return [
        GOOD | {"ID": f"ZTFJ{i}", "SourceID": str(i)} | change
        for i, change in enumerate(changes, start=1)
    ]


def write_csv(folder, rows):
    path = folder / "table2_subset.csv"
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_text(folder, rows):
    """As the official table goes."""
    lines = [f"header line {i}" for i in range(1, HEADER_LINES)] + [80 * "-"]
    lines += ["  ".join(f"{row[name]:>12}" for name in COLUMNS) for row in rows]
    path = folder / "Table2.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def write_zip(folder, rows):
    path = folder / "Table2.txt.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(write_text(folder, rows), "Table2.txt")
    return path


def write_light_curve(folder, name, rows):
    """As IRSA answers, further columns and all."""
    path = folder / ztf_periodic.LIGHT_CURVES / f"{name}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(light_curve(rows))


def light_curve(rows):
    lines = ["oid,expid,hjd,mjd,mag,magerr,catflags,filtercode,ra,dec"]
    lines += [f"1,2,{m + 2400000.5},{m},{g},{e},{f},{b},1,2" for m, g, e, f, b in rows]
    return "\n".join(lines)


def feature(record, name):
    return record.features[NAMES.index(name)]


@pytest.mark.parametrize("write", [write_csv, write_text, write_zip])
def test_every_form_of_the_table_gives_the_same(tmp_path, write):
    path = write(tmp_path, stars({}, {"Type": "Mira", "Per": 300.25}))
    assert ztf_periodic.recognises(path)
    one, two = (reading.record for reading in ztf_periodic.read(path))
    assert (one.object_id, one.label, one.label_source) == ("ZTFJ1", "RR", "catalogue")
    assert (one.ra, one.dec) == (13.65571, -6.5)
    assert (two.label, feature(two, "Per")) == ("Mira", 300.25)
    assert len(one.mjd) == 0


def test_zero_is_unknown_where_nothing_was_fitted(tmp_path):
    only_r = dict.fromkeys(
        [name for name in GOOD if name.endswith("_g")] + ["gmag"], 0
    ) | {"Num_g": 7}
    half_fitted = {"R21_r": 0, "phi21_r": 0, "log_FAP_r": 0}
    path = write_csv(tmp_path, stars(only_r, half_fitted))
    one, two = (reading.record for reading in ztf_periodic.read(path))
    unknown = {name for name in NAMES if np.isnan(feature(one, name))}
    assert unknown == {name.format("g") for name in ztf_periodic.OF_BAND}
    assert feature(one, "Num_g") == 7
    unknown = {name for name in NAMES if np.isnan(feature(two, name))}
    assert unknown == {"R21_r", "phi21_r"}
    assert feature(two, "log_FAP_r") == 0  # certainly false


def test_light_curves_in_the_folder_of_the_catalogue_are_read(tmp_path):
    path = write_csv(tmp_path, stars({}, {}, {}))
    good = [(58000.25, 18.9, 0.02, 0, "zr"), (58001.5, 23.9, 0.1, 4, "zg")]
    bad = [(58002, 18, 0.1, 32768 + 2, "zg"), (58003, 18, 0.1, 0, "zi")]
    write_light_curve(tmp_path, "1", good + bad)
    write_light_curve(tmp_path, "2", [(58000.25, "bright", 0.02, 0, "zr")])
    one, two, three = ztf_periodic.read(path)
    assert one.record.mjd.tolist() == [58000.25, 58001.5]
    assert one.record.band.tolist() == [1, 0]
    np.testing.assert_allclose(one.record.flux, [100, 1], rtol=1e-6)
    np.testing.assert_allclose(
        one.record.flux_error, [0.921034 * 2, 0.0921034], rtol=1e-6
    )
    assert one.notes == ("2 epochs are flagged bad or in another band: dropped.",)
    assert len(two.record.mjd) == 0
    assert feature(two.record, "Per") == 0.5
    assert "light curve 2.csv left out: ValueError" in two.notes[0]
    assert three.notes == ()


def test_each_step_of_the_cleaning_counts_its_losses(tmp_path, monkeypatch):
    monkeypatch.setattr(ztf_periodic_clean, "MAX_PER_TYPE", 3)
    changes = [
        {"Num_g": 49},
        {"Num_r": 49},
        {"log_FAP_g": -3},
        {"log_FAP_r": -2},
        {"R2_g": 0.3},
        {"R2_r": 0.1},
        {"Per": 0},
        {"Amp_g": 0},
        {"Amp_r": 0},
        {"Type": "CEPII"},
        {"Type": "CEP"},
        {},
        {},
        {},
        {},
    ]
    path = write_csv(tmp_path, stars(*changes))
    lines, report = ztf_periodic_clean.clean(path)
    assert [step["left"] for step in report] == [15, 13, 11, 9, 6, 5]
    assert report[-2]["types"] == {"CEP": 2, "RR": 4}
    assert report[-1]["types"] == {"CEP": 2, "RR": 3}
    assert report[-1]["step"] == "at most 3 of each type"
    assert lines > {11, 12}  # the Cepheids: line 1 is the header
    # The selection of a type does not depend on other rows of the catalogue.
    again, _ = ztf_periodic_clean.clean(write_csv(tmp_path, stars(*changes)[9:]))
    assert {line - 9 for line in lines} == again


def build(folder, name):
    builder = tfds.builder(f"ztf_periodic/{name}", data_dir=folder / "built")
    config = tfds.download.DownloadConfig(manual_dir=folder)
    builder.download_and_prepare(download_config=config)
    examples = builder.as_data_source("all")
    return builder, [record_from_example(e, LightCurveRecord) for e in examples]


def test_the_two_data_sets_differ_as_reported(tmp_path):
    rows = stars({}, {"Type": "CEPII"}, {"Num_g": 3}, {"Per": "none"})
    write_light_curve(write_csv(tmp_path, rows).parent, "1", [(58000, 18, 1, 0, "zg")])
    every, records = build(tmp_path, "all")
    assert sorted(record.label for record in records) == ["CEPII", "RR", "RR"]
    cleaned, records = build(tmp_path, "clean")
    assert sorted(record.label for record in records) == ["CEP", "RR"]
    assert sorted(len(record.mjd) for record in records) == [0, 1]
    steps = json.loads((cleaned.data_path / ztf_periodic.CLEANING_FILE).read_text())
    assert [step["left"] for step in steps] == [3, 2, 2, 2, 2, 2]
    for builder in (every, cleaned):  # unreadable lines are reported by both
        report = json.loads((builder.data_path / REPORT_FILE).read_text())
        assert list(report["set_aside"]) == ["table2_subset.csv, line 5"]


def test_a_bad_line_costs_no_other(tmp_path):
    path = write_text(tmp_path, stars({}, {"Type": "Nova"}, {}))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], "ZTFJ9 9 half a line", "", lines[-1]]))
    readings = list(ztf_periodic.read(path))
    assert [r.record is None for r in readings] == [False, True, True, False]
    assert "unknown class 'Nova'" in readings[1].notes[0]
    assert readings[2].object_id == f"Table2.txt, line {HEADER_LINES + 3}"
    assert "'ZTFJ9 9 half a line' is no row" in readings[2].notes[0]
    assert readings[2].raw == b"ZTFJ9 9 half a line\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"ID,SourceID\n1,2", "no column 'Amp_g'"),
        ("a.csv", b"", "no column 'Amp_g'"),
        ("a.txt", b"too short\n" * 50, "line 35 is 'too short"),
        ("a.txt", b"\xff" * 9999, "utf-8"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    assert not ztf_periodic.recognises(path)
    with pytest.raises(ValueError, match=message):
        list(ztf_periodic.read(path))


def test_a_damaged_archive_and_a_missing_table_are_errors(tmp_path, monkeypatch):
    monkeypatch.delenv("JAXASTRO_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="ztf_periodic_fetch"):
        ztf_periodic.find_catalogue(tmp_path)
    path = write_zip(tmp_path, stars({}))
    assert ztf_periodic.find_catalogue(tmp_path) == path  # rather than Table2.txt
    whole = path.read_bytes()
    path.write_bytes(whole[:60] + bytes(40) + whole[100:])
    with pytest.raises(ValueError, match="Download the file again"):
        list(ztf_periodic.read(path))


# -- fetching --------------------------------------------------------------------------


class Service(http.server.BaseHTTPRequestHandler):
    """Answers with a light curve, or with the catalogue, and counts."""

    def log_message(self, *_):
        """Stays silent."""

    def do_GET(self):
        self.server.requested.append(self.path)
        status = 404 if self.server.is_broken else 200
        body = self.server.body
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def service():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        server.requested, server.is_broken = [], False
        server.body = light_curve([(58000, 18, 0.1, 0, "zg")]).encode()
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        server.address = f"http://127.0.0.1:{server.server_port}/ask"
        yield server
        server.shutdown()


PACE = {"requests_per_second": 1000, "progress": False}


def test_light_curves_are_fetched_once_and_read(tmp_path, service):
    path = write_csv(tmp_path, stars({}, {"Num_g": 3}, {"RAdeg": 200.5}))
    for _ in range(2):
        count = ztf_periodic_fetch.fetch_light_curves(
            path, stars=0, address=service.address, **PACE
        )
        assert count == {"there": 2, "failed": 0}
    assert len(service.requested) == 2
    queries = [parse_qs(urlsplit(requested).query) for requested in service.requested]
    places = {query["POS"][0] for query in queries}
    assert places == {
        "CIRCLE 13.65571 -6.5 0.000417",
        "CIRCLE 200.5 -6.5 0.000417",
    }
    assert queries[0]["BANDNAME"] == ["g,r"]
    lengths = [len(reading.record.mjd) for reading in ztf_periodic.read(path)]
    assert lengths == [1, 0, 1]


def test_a_service_that_fails_gets_no_further_requests(tmp_path, service, monkeypatch):
    path = write_csv(tmp_path, stars(*20 * [{}]))
    service.is_broken = True
    with pytest.raises(DownloadError, match="the server answered with status 404"):
        ztf_periodic_fetch.fetch_light_curves(
            path, stars=0, address=service.address, **PACE
        )
    assert len(service.requested) == ztf_periodic_fetch.MAX_FAILURES
    count = ztf_periodic_fetch.fetch_light_curves(
        path, stars=2, address=service.address, **PACE
    )
    assert count == {"there": 0, "failed": 2}


def test_the_command_fetches_the_catalogue_and_then_light_curves(
    tmp_path, service, monkeypatch, capsys
):
    monkeypatch.setattr(ztf_periodic_fetch, "CATALOGUE", service.address)
    monkeypatch.setattr(ztf_periodic_fetch, "IRSA", service.address)
    archive = write_zip(tmp_path, stars({}, {}))
    service.body = archive.read_bytes()
    folder = tmp_path / "raw"
    arguments = ["--folder", str(folder), "--stars", "1", "--requests_per_second", "99"]
    assert ztf_periodic_fetch.main(arguments) == 0
    assert ztf_periodic.find_catalogue(folder).read_bytes() == service.body
    assert "1 light curves exist, 0 failed" in capsys.readouterr().out
    service.is_broken = True
    assert ztf_periodic_fetch.main(["--folder", str(tmp_path / "other")]) == 2
    assert "the server answered with status 404" in capsys.readouterr().err


@pytest.fixture(scope="module")
def real_catalogue():
    if not os.environ.get("JAXASTRO_DATA"):
        pytest.skip("JAXASTRO_DATA is not set: no real rows of the catalogue to read")
    return Path(os.environ["JAXASTRO_DATA"]) / "ztf_periodic" / "table2_subset.csv"


def test_all_real_rows_are_read_and_cleaned(real_catalogue):
    readings = list(ztf_periodic.read(real_catalogue))
    assert len(readings) == 9634
    assert not any(reading.notes for reading in readings)
    features = np.array([reading.record.features for reading in readings])
    unknown = dict(zip(NAMES, np.isnan(features).sum(axis=0).tolist(), strict=True))
    assert unknown["gmag"] == unknown["Amp_g"] == unknown["log_FAP_g"] == 668
    assert unknown["rmag"] == unknown["Amp_r"] == unknown["log_FAP_r"] == 391
    assert unknown["phi21_g"] == 681
    assert np.nanmin(features[:, NAMES.index("phi21")]) > 3.14
    _, report = ztf_periodic_clean.clean(real_catalogue)
    assert [step["left"] for step in report] == [9634, 7167, 6031, 5552, 5552, 5552]
    counts = collections.Counter(reading.record.label for reading in readings)
    assert counts == report[0]["types"]
