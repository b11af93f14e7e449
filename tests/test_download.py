import contextlib
import hashlib
import http.server
import json
import logging
import random
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_builders.engine import download
from data_builders.engine.download import (
    DownloadError,
    Fetcher,
    public_address,
    safe_name,
)

BODY = random.Random(0).randbytes(50_000)
SHA = hashlib.sha256(BODY).hexdigest()
SECRET = "hunter2"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves BODY; the next word of the server's script decides each response."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Stays silent."""

    def do_GET(self):
        server = self.server
        server.requests.append(dict(self.headers))
        word = server.script.pop(0) if server.script else "whole"
        if word in server.statuses:
            return self.answer(word, b"sorry", server.statuses[word])
        if word.startswith("redirect "):
            return self.answer(302, b"", {"Location": word.split()[1]})
        body, start = server.body, 0
        tag = {"ETag": f'"{hashlib.md5(body).hexdigest()}"'} if server.tagged else {}
        wants = self.headers.get("Range", "")
        same = self.headers.get("If-Range", tag.get("ETag", "")) == tag.get("ETag", "")
        same = same or word == "ignores condition"
        if wants and same and word != "ignores range":
            start = int(wants.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                return self.answer(416, b"", {})
            tag["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        piece = body[start:]
        if word == "drops at once":
            sent = piece[:0]
        elif word in ("drops", "ignores range"):
            sent = piece[: len(piece) // 2]
        else:
            sent = piece
        if word == "no length":
            self.close_connection = True
            tag = {}
        else:
            tag["Content-Length"] = str(len(piece))
        self.answer(206 if start else 200, sent, tag, final=len(sent) == len(piece))

    def answer(self, status, body, headers, final=True):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            if name in headers or status >= 300:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.close_connection or not final


@pytest.fixture(scope="module")
def running():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(running, monkeypatch):
    running.script, running.requests, running.body = [], [], BODY
    running.tagged, running.waited = True, []
    running.statuses = {404: {}, 403: {}, 500: {}, 503: {}, 429: {"Retry-After": "7"}}
    running.address = f"http://127.0.0.1:{running.server_port}/data/file.fits.gz"
    monkeypatch.setattr(download, "sleep", running.waited.append)
    return running


def fetcher(folder, **changed):
    quick = {"requests_per_second": 1e6, "progress": False, "timeout": 5}
    return Fetcher(folder, **(quick | changed))


def left(folder):
    """All files of the folder except the fetcher's own."""
    ours = {download.MANIFEST, download.LOCK}
    return sorted(path.name for path in folder.iterdir() if path.name not in ours)


def test_a_file_is_fetched_once_and_remembered(server, tmp_path):
    path = fetcher(tmp_path).fetch(server.address)
    assert path == tmp_path / "file.fits.gz"
    assert path.read_bytes() == BODY
    assert fetcher(tmp_path).fetch(server.address) == path
    assert len(server.requests) == 1
    (line,) = (tmp_path / download.MANIFEST).read_text().splitlines()
    entry = json.loads(line)
    assert entry.pop("date").startswith("20")
    assert entry == {
        "name": "file.fits.gz",
        "url": server.address,
        "size": len(BODY),
        "sha256": SHA,
    }


def test_a_broken_file_is_resumed_where_it_ended(server, tmp_path):
    server.script = ["drops", "drops", "whole"]
    path = fetcher(tmp_path).fetch(server.address, sha256=SHA)
    assert path.read_bytes() == BODY
    assert [r.get("Range") for r in server.requests] == [
        None,
        "bytes=25000-",
        "bytes=37500-",
    ]
    assert left(tmp_path) == ["file.fits.gz"]


def test_another_run_goes_on_where_one_gave_up(server, tmp_path):
    server.script = ["drops", 404]
    with pytest.raises(DownloadError):
        fetcher(tmp_path).fetch(server.address)
    assert left(tmp_path) == ["file.fits.gz.part", "file.fits.gz.tag"]
    assert fetcher(tmp_path).fetch(server.address).read_bytes() == BODY
    assert server.requests[-1]["Range"] == "bytes=25000-"


def test_two_halves_of_different_files_are_never_joined(server, tmp_path):
    server.script = ["drops", 404]
    with pytest.raises(DownloadError):
        fetcher(tmp_path).fetch(server.address)
    server.body = BODY[::-1]
    assert fetcher(tmp_path).fetch(server.address).read_bytes() == BODY[::-1]
    # And without a tag, a half is never used.
    server.tagged, server.script = False, ["drops", 404]
    with pytest.raises(DownloadError):
        fetcher(tmp_path).fetch(server.address, "other")
    fetcher(tmp_path).fetch(server.address, "other")
    assert "Range" not in server.requests[-1]


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_whatever_happens_the_file_is_right_or_not_there(
    server, tmp_path_factory, data
):
    folder = tmp_path_factory.mktemp("wild")
    words = ["drops", "drops at once", "ignores range", "no length", "whole"]
    step = st.sampled_from([*words, "ignores condition", *server.statuses])
    server.tagged = data.draw(st.booleans())
    sha256 = data.draw(st.sampled_from(["", SHA]))
    path = folder / "file.fits.gz"
    for _ in range(3):
        path.unlink(missing_ok=True)
        server.script = data.draw(st.lists(step, max_size=8))
        if not sha256:
            server.body = data.draw(st.sampled_from([BODY, BODY[::-1], BODY[:30_000]]))
        with contextlib.suppress(DownloadError):
            assert fetcher(folder).fetch(server.address, sha256=sha256) == path
            assert path.exists()
        assert not path.exists() or path.read_bytes() == server.body
        assert not [name for name in left(folder) if name.startswith("tmp")]


def test_the_waiting_time_of_a_busy_server_is_kept(server, tmp_path):
    server.script = [503, 429, 500, "whole"]
    fetcher(tmp_path).fetch(server.address)
    waits = [wait for wait in server.waited if wait > 0.01]
    assert len(waits) == 3
    assert waits[1] == 7
    assert 1 <= waits[0] <= 2
    assert 4 <= waits[2] <= 8  # the third failure in a row


def test_retry_after_may_be_a_date():
    soon = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 90))
    assert 80 < download._seconds(soon) <= 90
    assert download._seconds("12") == 12
    assert download._seconds("soon") == download._seconds("") == 0


def test_retries_end(server, tmp_path):
    server.script = 50 * [503]
    with pytest.raises(DownloadError, match=r"the server is busy \(status 503\)"):
        fetcher(tmp_path, attempts=4).fetch(server.address)
    assert len(server.requests) == 4
    server.script, server.requests = 50 * ["ignores range"], []
    with pytest.raises(DownloadError, match="after 25000 of 50000 bytes"):
        fetcher(tmp_path, attempts=4).fetch(server.address)
    assert len(server.requests) == 4
    server.statuses[429] = {"Retry-After": "86400"}
    server.script, server.requests = [429], []
    with pytest.raises(DownloadError, match="retry after 86400 s") as error:
        fetcher(tmp_path).fetch(server.address)
    assert len(server.requests) == 1
    assert error.value.status == 429


def test_a_permanent_failure_is_not_repeated(server, tmp_path):
    server.script = [404]
    with pytest.raises(
        DownloadError, match="the server answered with status 404"
    ) as error:
        fetcher(tmp_path).fetch(server.address)
    assert error.value.status == 404
    assert len(server.requests) == 1
    assert f"put the file at {tmp_path / 'file.fits.gz'} by hand" in str(error.value)


def test_a_wrong_hash_or_size_leaves_no_file(server, tmp_path):
    with pytest.raises(DownloadError, match="its sha256 is not 0000"):
        fetcher(tmp_path).fetch(server.address, sha256=64 * "0")
    with pytest.raises(DownloadError, match="it has 50000 bytes, 7 are expected"):
        fetcher(tmp_path).fetch(server.address, size=7)
    with pytest.raises(DownloadError, match="more than the limit 40000"):
        fetcher(tmp_path, max_bytes=40_000).fetch(server.address)
    assert left(tmp_path) == []


def test_a_file_of_unknown_length_is_not_kept(server, tmp_path):
    server.script = ["no length"]
    with pytest.raises(DownloadError, match="its size and sha256 are unknown"):
        fetcher(tmp_path).fetch(server.address)
    for known in ({"size": len(BODY)}, {"sha256": SHA}):
        server.script = ["no length"]
        path = fetcher(tmp_path).fetch(server.address, "known", **known)
        assert path.read_bytes() == BODY
        path.unlink()


def test_a_damaged_file_is_renamed_and_downloaded_again(server, tmp_path):
    path = fetcher(tmp_path).fetch(server.address)
    path.write_bytes(BODY[:-1] + b"x")
    fetcher(tmp_path).fetch(server.address)
    assert path.read_bytes() == BODY
    assert left(tmp_path) == ["file.fits.gz", "file.fits.gz.wrong"]
    # A publisher who changes a file is noticed.
    path.unlink()
    server.body = BODY[::-1]
    with pytest.raises(DownloadError, match=f"its sha256 is not {SHA}"):
        fetcher(tmp_path).fetch(server.address)


def test_a_file_that_somebody_put_there_is_taken(server, tmp_path):
    (tmp_path / "file.fits.gz").write_bytes(b"by hand")
    assert fetcher(tmp_path).fetch(server.address).read_bytes() == b"by hand"
    assert not server.requests


def test_redirects_are_followed_to_web_addresses_only(server, tmp_path):
    server.script = [f"redirect {server.address}?token={SECRET}", "whole"]
    assert fetcher(tmp_path).fetch(server.address).read_bytes() == BODY
    assert SECRET not in (tmp_path / download.MANIFEST).read_text()
    for elsewhere in ("file:///etc/hostname", server.address):
        server.script = 60 * [f"redirect {elsewhere}"]
        with pytest.raises(DownloadError, match="the connection failed"):
            fetcher(tmp_path).fetch(server.address, "other")
    assert left(tmp_path) == ["file.fits.gz"]


def test_no_secret_is_written_anywhere(server, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    secret = server.address.replace("//", f"//me:{SECRET}@")
    secret += f"?cmd=SELECT+1&api_key={SECRET}&{SECRET}#{SECRET}"
    public = {"public_query": ["cmd"]}
    for script in (9 * ["drops at once"], [403], 9 * [503], ["redirect ftp://a.org"]):
        server.script = list(script)
        with pytest.raises(DownloadError) as error:
            fetcher(tmp_path, progress=True, **public).fetch(secret, "failing")
        chain = [error.value, error.value.__cause__, error.value.__context__]
        assert SECRET not in repr(chain)
    server.script = ["drops", "whole"]
    fetcher(tmp_path, **public).fetch(secret, sha256=SHA)
    with pytest.raises(DownloadError) as error:
        fetcher(tmp_path).fetch(f"http://me:{SECRET}@127.0.0.1:9/x?k={SECRET}")
    assert SECRET not in str(error.value)
    assert "from http://127.0.0.1:9/x:" in str(error.value)
    written = "".join(p.read_text("latin-1") for p in tmp_path.iterdir())
    assert SECRET not in written
    assert "file.fits.gz?cmd=SELECT+1" in written
    assert SECRET not in caplog.text
    assert SECRET not in "".join(capfd.readouterr())


def test_requests_and_bytes_keep_their_pace(server, tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(download.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(
        download, "sleep", lambda wait: now.__setitem__(0, now[0] + wait)
    )
    slow = fetcher(tmp_path, requests_per_second=0.1, bytes_per_second=1000)
    slow.fetch(server.address)
    assert now[0] == pytest.approx(1050)  # 50,000 bytes
    slow.fetch(server.address, "second")
    slow.fetch(server.address, "second")  # needs no request
    assert now[0] == pytest.approx(1100)
    quick = fetcher(tmp_path, requests_per_second=0.1)
    for i in range(4):
        quick.fetch(server.address, f"quick{i}")
    assert now[0] == pytest.approx(1130)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("frame-r-002873-3-0244.fits.bz2", "frame-r-002873-3-0244.fits.bz2"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..%2f..%2fx", "_.._x"),
        (".bashrc", "bashrc"),
        ("C:\\x\0y", "C__x_y"),
        ("CSS071204:100029+071116.fits", "CSS071204_100029+071116.fits"),
    ],
)
def test_a_name_stays_in_its_folder(name, safe):
    assert safe_name(name) == safe


@given(st.text())
def test_no_name_escapes(tmp_path_factory, name):
    try:
        safe = safe_name(name)
    except ValueError:
        return
    folder = tmp_path_factory.getbasetemp()
    assert (folder / safe).resolve().parent == folder.resolve()


def test_bad_addresses_and_names_are_refused(tmp_path):
    for url in ("ftp://a.org/x", "file:///etc/hostname", "x.fits", "http:///x"):
        with pytest.raises(
            ValueError, match="http or https and a host name are expected"
        ):
            fetcher(tmp_path).fetch(url)
    for name in ("..", "___", download.MANIFEST):
        with pytest.raises(ValueError, match="cannot be the name of a file"):
            safe_name(name)
    with pytest.raises(ValueError, match="cannot be the name of a file"):
        fetcher(tmp_path).fetch("https://a.org/")
    assert public_address("https://u:p@[::1]:80/a?b=c#d") == "https://[::1]:80/a"
