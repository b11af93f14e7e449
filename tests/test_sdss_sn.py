import functools
import http.server
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sdss_frames import PIXEL, field_row, frames_of, write_fields, write_frame

from data_builders import (
    download,
    sdss_sn,
    sdss_sn_cut,
    sdss_sn_cutouts,
    sdss_sn_frames,
)
from data_builders.builder import REPORT_FILE
from data_builders.sdss_sn_frames import FIELDS_FILE
from jaxastro.data.record import record_from_example

SHAPE = (200, 240)
MASTER = """CID RA DEC IAUName Classification zspecHelio
101 10.0010 0.0500 2005aa SNIa 0.2
102 9.9950 0.0450 \\N pSNII \\N
103 9.9897 0.0500 \\N AGN 1.5
104 9.9960 0.0560 \\N SNIa? 0.1
105 50.0 0.5 \\N Variable \\N
"""
STARS = {  # nanomaggies
    "101": (10.0010, 0.0500, 40.0),
    "102": (9.9950, 0.0450, 25.0),
    "103": (9.9897, 0.0500, 60.0),
    "104": (9.9960, 0.0560, 10.0),
}
CENTRE = (10.0, 0.05)
# Two nights, one of them with a second field that overlaps the first.
ROWS = [
    field_row(2873, 3, 100, CENTRE, mjd=53650.25, shape=SHAPE),
    field_row(2873, 3, 101, (10.015, 0.05), mjd=53650.2501, shape=SHAPE),
    field_row(5800, 3, 40, (10.001, 0.0495), mjd=53700.125, shape=SHAPE, score=0.3),
    field_row(5900, 3, 7, CENTRE, mjd=53710.125, shape=SHAPE, score=0.0),
]
CENTRES = [CENTRE, (10.015, 0.05), (10.001, 0.0495), CENTRE]


def write_survey(folder, *, master=MASTER, **frame):
    (folder / "master_data.txt").write_text(master)
    write_fields(folder / FIELDS_FILE, ROWS)
    for row, centre in zip(ROWS, CENTRES, strict=True):
        for image in frames_of(row):
            write_frame(
                folder / "frames",
                image,
                centre,
                STARS.values(),
                shape=SHAPE,
                **frame,
            )
    return folder


def cut(folder, **options):
    candidates = sdss_sn.read_candidates(sdss_sn.find_catalogue(folder))
    fields = sdss_sn_frames.read_fields(folder / FIELDS_FILE)
    places = sdss_sn.places_of(candidates)
    return sdss_sn_cutouts.cut_frames(folder, places, fields, size=32, **options)


def stored(folder):
    file = sqlite3.connect(folder / "cutouts.db")
    rows = file.execute("SELECT * FROM stamps ORDER BY frame, place").fetchall()
    file.close()
    return rows


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    folder = write_survey(tmp_path_factory.mktemp("sdss"))
    assert cut(folder).damaged == {}
    return folder


@pytest.fixture(scope="module")
def records(survey):
    readings = {r.object_id: r for r in sdss_sn.read(survey)}
    assert list(readings) == ["101", "102", "103", "104", "105"]
    return readings


def light_of(record):
    return np.where(record.bad_pixel, 0, record.flux).sum(axis=(1, 2))


def test_a_star_comes_back_with_its_flux_in_the_middle(records):
    for name in ("101", "102"):
        record = records[name].record
        # A nanomaggy is 3.631 microjansky; the neighbour's wings are far away.
        np.testing.assert_allclose(light_of(record), STARS[name][2] * 3.631, rtol=2e-3)
        weight = record.flux / light_of(record)[:, None, None]
        y, x = np.mgrid[:32, :32]
        for axis in (y, x):
            assert (abs((weight * axis).sum(axis=(1, 2)) - 15.5) <= 0.51).all()


def test_every_band_has_its_own_time(records):
    record = records["101"].record
    assert sorted(record.band.tolist()) == sorted(2 * [0, 1, 2, 3, 4])
    first = record.mjd < 53690
    # The bands cross the sky in the order r i u z g, 71.7 s apart.
    assert record.band[first].tolist() == [2, 3, 0, 4, 1]
    steps = np.diff(record.mjd[first]) * 86400
    np.testing.assert_allclose(steps, 71.7, atol=0.2)
    # Row 109 of 200: read 109 * 26.3 ms after row 0, half an exposure after its middle.
    row = 100 + 0.001 / PIXEL
    expected = 53650.25 + (row * 0.026322 - 53.907456 / 2) / 86400
    assert record.mjd[first][0] == pytest.approx(expected, abs=2e-7)
    assert record.mjd.dtype == np.float64


def test_seeing_gain_and_zero_point_are_those_of_band_and_chip(records):
    record = records["101"].record
    r = record.band == 2
    np.testing.assert_allclose(record.gain[r], 4.72)  # column 3
    np.testing.assert_allclose(record.psf_fwhm[r], 1.5)
    # 0.005 to 0.0055 nanomaggies a count over the columns; the object is at the middle.
    zero_point = 22.5 - 2.5 * np.log10(0.005 * 1.05)
    np.testing.assert_allclose(record.zero_point[r], zero_point, atol=0.003)


def test_noise_is_the_scatter_of_an_empty_pixel(tmp_path):
    """Counts of a sky drawn as photons, against the formula of the data model."""
    frame = frames_of(ROWS[0])[2]
    sky, per_count, gain, dark = 120.0, 0.005, 4.72, 1.3225
    path = write_frame(tmp_path, frame, CENTRE, shape=SHAPE, sky=sky)
    (stamp,) = sdss_sn_frames.cut(path, frame, [10.001], [0.05], size=32)
    rng = np.random.default_rng(3)
    # Row 109 of 200 of a sky that grows by half; column 120 of a calibration by 10 %.
    here = sky * (1 + 0.5 * 109 / 200)
    counts = rng.poisson(here * gain, 200_000) / gain
    counts = counts + rng.normal(0, np.sqrt(dark), 200_000) - here
    scatter = counts.std() * per_count * 1.05 * 3.631
    assert stamp.noise == pytest.approx(scatter, rel=0.01)


def test_the_chips_are_those_of_the_data_model():
    def camera(run, camcol, band):
        frame = frames_of(ROWS[0])[0]._replace(run=run, camcol=camcol, band=band)
        return sdss_sn_frames._camera(frame)

    assert camera(3000, 1, "u") == (1.62, 9.61)
    assert camera(1000, 2, "u") == (1.595, 12.6025)
    assert camera(1200, 2, "u") == (1.825, 12.6025)
    assert camera(1400, 4, "z") == (4.775, 9.61)
    assert camera(1600, 4, "z") == (4.775, 12.6025)
    assert camera(1400, 2, "i") == (6.565, 5.76)
    assert camera(3000, 6, "r") == (4.895, 0.9025)


def test_pixels_beyond_the_frame_are_bad(records):
    record = records["103"].record  # 6 pixels from the frame's edge
    early = record.mjd < 53690
    assert early.sum() == 5
    outside = record.bad_pixel[early]
    assert outside.any(axis=(1, 2)).all()
    assert not outside.all(axis=(1, 2)).any()
    assert (outside[:, :, 15:17] == outside[:, :, 15:16]).all()  # whole rows
    assert (record.flux[record.bad_pixel] == 0).all()
    assert not records["101"].record.bad_pixel.any()


def test_labels_redshifts_and_groups_reach_the_record(records):
    record = records["101"].record
    assert (record.label, record.label_source) == ("SNIa", "spectroscopic")
    assert record.redshift == 0.2
    second = records["102"].record
    assert (second.label, second.label_source) == ("SNOther", "photometric")
    assert np.isnan(second.redshift)
    assert record.group != second.group
    assert records["104"].record is None
    assert "doubtful Ia" in records["104"].notes[0]
    assert records["105"].record is None
    assert "0 of the 0 frames that show it" in records["105"].notes[0]


def test_labels_change_nothing_but_labels(records, tmp_path):
    lines = MASTER.splitlines()
    for i, label in ((1, "Unknown"), (2, "AGN"), (3, "SNIa"), (4, "Variable")):
        words = lines[i].split()
        lines[i] = " ".join((*words[:4], label, words[5]))
    folder = write_survey(tmp_path, master="\n".join(lines))
    cut(folder)
    for reading in sdss_sn.read(folder):
        if reading.object_id in ("101", "102", "103"):
            before = records[reading.object_id].record
            after = reading.record._replace(
                label=before.label, label_source=before.label_source
            )
            for one, other in zip(before, after, strict=True):
                np.testing.assert_array_equal(one, other)


def test_a_frame_is_opened_once_for_all_its_objects(tmp_path, monkeypatch):
    folder, opened = write_survey(tmp_path), []
    read_bytes = Path.read_bytes
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: opened.append(path.name) or read_bytes(path)
    )
    tally = cut(folder)
    # 101 lies nearer to the middle of field 100 than of 101: nothing needs the latter.
    assert len(opened) == len(set(opened)) == tally.cut == 10
    assert not [name for name in opened if "-0101." in name]
    assert len(stored(folder)) == 5 * 4 + 5 * 3  # 103 is outside on the second night
    assert cut(folder)[:2] == (0, 10)
    assert len(opened) == 10


def test_wherever_it_is_stopped_it_goes_on_without_loss(survey, tmp_path, monkeypatch):
    folder, whole = write_survey(tmp_path), stored(survey)
    add, calls = sdss_sn_cutouts.Store.add, []

    def stop(store, frame, *rest):
        calls.append(frame.name)
        if len(calls) % 3 == 0:
            raise KeyboardInterrupt
        add(store, frame, *rest)

    monkeypatch.setattr(sdss_sn_cutouts.Store, "add", stop)
    for _ in range(20):
        try:
            tally = cut(folder, threads=2)
            break
        except KeyboardInterrupt:
            assert len(stored(folder)) < len(whole)
    assert tally.missing == 0
    assert stored(folder) == whole


def test_killed_at_any_moment_it_goes_on_without_loss(survey, tmp_path):
    """Kill -9 between the rows of a frame, and between frames."""
    folder = write_survey(tmp_path)
    code = (
        "import os, signal, sys\n"
        "from data_builders import sdss_sn_cut, sdss_sn_cutouts\n"
        "class Killer(sdss_sn_cutouts.Stamp):\n"
        "    left = int(sys.argv[2])\n"
        "    def __getattribute__(self, name):\n"
        "        if name == 'pixels':\n"
        "            Killer.left -= 1\n"
        "            if not Killer.left: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return super().__getattribute__(name)\n"
        "inner = sdss_sn_cutouts.cut\n"
        "sdss_sn_cutouts.cut = lambda *a, **k: [Killer(*s) for s in inner(*a, **k)]\n"
        "sys.exit(sdss_sn_cut.main(['--manual_dir', sys.argv[1]]))\n"
    )
    root = Path(__file__).parent.parent
    run = functools.partial(subprocess.run, cwd=root, capture_output=True)
    # Two looks at the pixels of each stamp; frames of four stamps, then of three.
    for looks, left in ((11, 4), (40, 4 + 16 + 3)):
        done = run([sys.executable, "-c", code, folder, str(looks)])
        assert done.returncode == -signal.SIGKILL
        assert len(stored(folder)) == left
    assert sdss_sn_cut.main(["--manual_dir", str(folder)]) == 0
    assert stored(folder) == stored(survey)


def test_missing_and_damaged_frames_are_told_and_tried_again(tmp_path):
    folder = write_survey(tmp_path)
    names = [frame.name for frame in frames_of(ROWS[0])]
    kept = {name: (folder / "frames" / name).read_bytes() for name in names}
    (folder / "frames" / names[0]).unlink()
    (folder / "frames" / names[1]).write_bytes(kept[names[1]][:2000])
    (folder / "frames" / names[2]).write_bytes(b"<html>not found</html>")
    other = frames_of(ROWS[2])[3].name
    (folder / "frames" / names[3]).write_bytes((folder / "frames" / other).read_bytes())
    tally = cut(folder)
    assert tally.cut == 6
    assert tally.missing == 1
    assert list(tally.damaged) == names[1:4]
    assert "damaged frame" in tally.damaged[names[1]]
    assert "its header says RUN 5800. The name says 2873" in tally.damaged[names[3]]
    listed = (folder / "missing_frames.txt").read_text()
    assert listed.splitlines() == [
        "https://data.sdss.org/sas/dr17/eboss/photoObj/frames/301/2873/3/"
        "frame-u-002873-3-0100.fits.bz2"
    ]
    reading = next(sdss_sn.read(folder))
    assert "6 of the 10 frames that show it were cut" in reading.notes[-1]
    assert len(reading.record.mjd) == 6
    # Whole again, and sorted as the archive does.
    for name in names:
        (folder / "frames" / name).write_bytes(kept[name])
    (folder / "frames/301/2873/3").mkdir(parents=True)
    (folder / "frames" / names[0]).rename(folder / "frames/301/2873/3" / names[0])
    assert cut(folder)[:4] == (4, 6, 0, {})
    assert next(sdss_sn.read(folder)).notes == ()


def test_an_object_that_moves_or_comes_later_is_cut_then(tmp_path):
    folder = write_survey(tmp_path)
    master = folder / "master_data.txt"
    master.write_text("\n".join(MASTER.splitlines()[:2]))
    assert cut(folder).cut == 10
    moved = MASTER.replace("101 10.0010", "101 10.0020")
    master.write_text(moved)
    assert cut(folder).cut == 10
    assert len(stored(folder)) == 10 + 35
    middle = next(sdss_sn.read(folder)).record.flux[:, 15:17, 15:17]
    assert middle.max() < 1  # the star is 9 pixels away
    master.write_text(MASTER)
    assert cut(folder).cut == 0
    assert next(sdss_sn.read(folder)).record.flux[:, 15:17, 15:17].max() > 5


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A web server that holds all frames but one, and both tables."""
    root = tmp_path / "archive"
    root.mkdir()
    write_survey(root)
    for row in ROWS:
        for frame in frames_of(row):
            place = root / "frames" / frame.in_archive
            place.parent.mkdir(parents=True, exist_ok=True)
            (root / "frames" / frame.name).rename(place)
    (root / "frames" / frames_of(ROWS[0])[4].in_archive).unlink()
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    handler = functools.partial(Handler, directory=root)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(sdss_sn_cutouts, "SAS", address + "frames")
    monkeypatch.setattr(sdss_sn_cut, "RELEASE", address)
    monkeypatch.setattr(sdss_sn_cut, "SKYSERVER", address + FIELDS_FILE)
    monkeypatch.setattr(download, "sleep", lambda _: None)
    yield asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_frames_are_fetched_cut_and_dropped(archive, tmp_path, capsys, survey):
    folder = tmp_path / "raw"
    folder.mkdir()
    arguments = ["--manual_dir", str(folder), "--download", "--drop"]
    assert sdss_sn_cut.main(arguments) == 0
    said = capsys.readouterr().out
    assert "9 frames cut now, 0 before; 1 are not there" in said
    lost = frames_of(ROWS[0])[4].name
    assert stored(folder) == [row for row in stored(survey) if row[1] != lost]
    assert not list((folder / "frames").glob("*.bz2"))
    manifest = (folder / "fetched.jsonl").read_text()
    assert "SELECT+f.run" in manifest
    assert len((folder / "frames/fetched.jsonl").read_text().splitlines()) == 9
    archive.clear()
    # A second run asks for what is missing alone; a frame of the user's own stays.
    kept = write_frame(folder / "frames", frames_of(ROWS[0])[4], CENTRE, shape=SHAPE)
    assert sdss_sn_cut.main(arguments) == 0
    assert archive == []
    assert kept.exists()


def test_without_the_archive_the_command_says_what_to_do(tmp_path, capsys):
    arguments = ["--manual_dir", str(tmp_path)]
    assert sdss_sn_cut.main(arguments) == 2
    assert "No *_HEAD.FITS* and no master_data.txt" in capsys.readouterr().err
    (tmp_path / "master_data.txt").write_text(MASTER)
    assert sdss_sn_cut.main(arguments) == 2
    said = capsys.readouterr().err
    assert FIELDS_FILE in said
    assert "WHERE r.stripe = 82" in said


def build(preset, manual_dir, data_dir):
    import tensorflow_datasets as tfds

    builder = tfds.builder(f"sdss_sn/{preset}", data_dir=data_dir)
    config = tfds.download.DownloadConfig(manual_dir=str(manual_dir))
    builder.download_and_prepare(download_config=config)
    records = map(record_from_example, builder.as_data_source("all"))
    return builder, {record.object_id: record for record in records}


def test_the_data_set_holds_what_was_read(survey, records, tmp_path):
    builder, built = build("all_nights", survey, tmp_path)
    assert sorted(built) == ["101", "102", "103"]
    for name, record in built.items():
        for one, other in zip(record, records[name].record, strict=True):
            np.testing.assert_array_equal(one, other)
    report = json.loads((Path(builder.data_dir) / REPORT_FILE).read_text())
    assert report["objects_read"] == 5
    assert list(report["set_aside"]) == ["104", "105"]


def test_photometric_nights_leave_the_others_out(survey, tmp_path):
    _, built = build("photometric_nights", survey, tmp_path)
    assert all((record.mjd < 53690).all() for record in built.values())
    assert len(built["101"].mjd) == 5


def test_what_was_not_cut_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("JAXASTRO_DATA", raising=False)
    (tmp_path / "raw").mkdir()
    with pytest.raises(FileNotFoundError, match=r"data_builders\.sdss_sn_cut"):
        build("all_nights", tmp_path / "raw", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"has no cutouts\.db"):
        next(sdss_sn.read(tmp_path))
    (tmp_path / "cutouts.db").write_text("something else entirely" * 99)
    (tmp_path / "master_data.txt").write_text(MASTER)
    with pytest.raises(OSError, match="remove the file and cut again"):
        next(sdss_sn.read(tmp_path))


def test_a_folder_of_cutouts_or_fields_is_recognised(survey, tmp_path):
    assert sdss_sn.recognises(survey)
    assert not sdss_sn.recognises(tmp_path)
    assert not sdss_sn.recognises(survey / "cutouts.db")
    assert not sdss_sn.recognises(tmp_path / "nowhere")
