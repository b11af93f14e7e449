import functools
import http.server
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.sdss_frames import (
    CENTRE,
    MASTER,
    ROWS,
    SMALL,
    cut,
    frames_of,
    stored,
    write_frame,
    write_survey,
)

from data_builders.engine import download
from data_builders.sdss import sdss_sn, sdss_sn_cut, sdss_sn_cutouts
from data_builders.sdss.sdss_sn_frames import FIELDS_FILE


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    folder = write_survey(tmp_path_factory.mktemp("sdss"))
    assert cut(folder).damaged == {}
    return folder


def test_a_frame_is_opened_once_for_all_its_objects(tmp_path, monkeypatch):
    folder, opened = write_survey(tmp_path), []
    read_bytes = Path.read_bytes
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: opened.append(path.name) or read_bytes(path)
    )
    tally = cut(folder)
    # 101 is closer to the centre of field 100 than of 101: the latter is not needed.
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
        "from data_builders.sdss import sdss_sn_cut, sdss_sn_cutouts\n"
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
    # Pixels of each stamp are used twice; frames of four stamps, then of three.
    for reads, left in ((11, 4), (40, 4 + 16 + 3)):
        done = run([sys.executable, "-c", code, folder, str(reads)])
        assert done.returncode == -signal.SIGKILL
        assert len(stored(folder)) == left
    assert sdss_sn_cut.main(["--manual_dir", str(folder)]) == 0
    assert stored(folder) == stored(survey)


def test_missing_and_damaged_frames_are_reported_and_tried_again(tmp_path):
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
    assert "its header has run 5800, camera column 3" in tally.damaged[names[3]]
    listed = (folder / "missing_frames.txt").read_text()
    assert listed.splitlines() == [
        "https://data.sdss.org/sas/dr17/eboss/photoObj/frames/301/2873/3/"
        "frame-u-002873-3-0100.fits.bz2"
    ]
    reading = next(sdss_sn.read(folder))
    assert "6 of the 10 frames that contain it were cut" in reading.notes[-1]
    assert len(reading.record.mjd) == 6
    # Repaired, and in the folders of the archive.
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
    requested = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            requested.append(self.path)

    handler = functools.partial(Handler, directory=root)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(sdss_sn_cutouts, "SAS", address + "frames")
    monkeypatch.setattr(sdss_sn_cut, "RELEASE", address)
    monkeypatch.setattr(sdss_sn_cut, "SKYSERVER", address + FIELDS_FILE)
    monkeypatch.setattr(download, "sleep", lambda _: None)
    yield requested
    server.shutdown()
    thread.join()
    server.server_close()


def test_frames_are_fetched_cut_and_dropped(archive, tmp_path, capsys, survey):
    folder = tmp_path / "raw"
    folder.mkdir()
    arguments = ["--manual_dir", str(folder), "--download", "--drop"]
    assert sdss_sn_cut.main(arguments) == 0
    output = capsys.readouterr().out
    assert "9 frames cut now, 0 before; 1 are missing" in output
    lost = frames_of(ROWS[0])[4].name
    assert stored(folder) == [row for row in stored(survey) if row[1] != lost]
    assert not list((folder / "frames").glob("*.bz2"))
    manifest = (folder / "fetched.jsonl").read_text()
    assert "SELECT+f.run" in manifest
    assert len((folder / "frames/fetched.jsonl").read_text().splitlines()) == 9
    archive.clear()
    # A second run requests missing frames only; frames of the user are kept.
    kept = write_frame(folder / "frames", frames_of(ROWS[0])[4], CENTRE, shape=SMALL)
    assert sdss_sn_cut.main(arguments) == 0
    assert archive == []
    assert kept.exists()


def test_without_the_archive_the_message_has_the_remedy(tmp_path, capsys):
    arguments = ["--manual_dir", str(tmp_path)]
    assert sdss_sn_cut.main(arguments) == 2
    assert "No *_HEAD.FITS* and no master_data.txt" in capsys.readouterr().err
    (tmp_path / "master_data.txt").write_text(MASTER)
    assert sdss_sn_cut.main(arguments) == 2
    output = capsys.readouterr().err
    assert FIELDS_FILE in output
    assert "WHERE r.stripe = 82" in output
