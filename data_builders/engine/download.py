"""Fetches files over HTTP: resumed, checked, at a polite pace, and remembered.

    fetcher = Fetcher(folder, requests_per_second=2)
    path = fetcher.fetch("https://data.sdss.org/.../frame-r-002873-3-0244.fits.bz2")

Beside the files lies fetched.jsonl: one line for each, with its address, size, sha256
and date. A file that lies there and is as it was when it was fetched is not fetched
again. What an address says of its user (name, password, query, fragment) is written
nowhere: not there, not into a log, not into an error.
"""

import datetime
import json
import logging
import os
import random
import re
import time
from collections.abc import Collection
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import filelock
import pooch
import requests
import tqdm
from urllib3.exceptions import HTTPError

from jaxastro.errors import InputError, UserError

MANIFEST, LOCK = "fetched.jsonl", ".fetching.lock"
BUSY = (408, 425, 429, 500, 502, 503, 504)  # a server that may answer later
CHUNK = 1 << 16  # bytes
MAX_WAIT = 600.0  # seconds; a server that asks for more is left for another day
# Without identity, a file would have another length than the server announced.
HEADERS = {"User-Agent": "jaxastro", "Accept-Encoding": "identity"}

pooch.get_logger().setLevel("WARNING")  # it tells the hash of every file otherwise
# Its debug lines show whole queries, secrets and all.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
sleep = time.sleep


class DownloadError(UserError, OSError):
    """A file could not be had; the message says which, where from and where to."""

    def __init__(self, message: str, *, status: int = 0):
        super().__init__(message)
        self.status = status  # of the server's answer; 0 if it was none


class _Failed(Exception):
    """One attempt failed; says why, in half a sentence that holds no secret."""

    def __init__(self, why: str, *, status=0, again=False, wait=0.0):
        super().__init__(why)
        self.status, self.again, self.wait = status, again, wait


class Fetcher:
    """Fetches files into one folder, one at a time, also among several processes.

    Args:
        folder: where files lie; made if need be.
        requests_per_second: at most; a file that is resumed takes several.
        bytes_per_second: at most, within a file.
        max_bytes: a larger file is refused.
        attempts: how often in a row a file may fail without getting any further.
        timeout: seconds without a byte after which an attempt has failed.
        public_query: names of query items that hold no secret, and are written down.
        progress: whether to draw a bar on a terminal.
    """

    def __init__(
        self,
        folder: Path,
        *,
        requests_per_second: float = 2.0,
        bytes_per_second: float = float("inf"),
        max_bytes: float = float("inf"),
        attempts: int = 5,
        timeout: float = 60.0,
        public_query: Collection[str] = (),
        progress: bool = True,
    ):
        self.folder, self.public_query = Path(folder), frozenset(public_query)
        self.interval, self.bytes_per_second = 1 / requests_per_second, bytes_per_second
        self.max_bytes, self.attempts, self.timeout = max_bytes, attempts, timeout
        self.progress, self._next_request = progress, 0.0
        self._fetched, self._manifest_end = {}, 0
        self._session = requests.Session()
        self._session.headers.update(HEADERS)

    def fetch(
        self, url: str, name: str = "", *, sha256: str = "", size: int = 0
    ) -> Path:
        """Returns the path of the whole file, fetched now unless it lies there.

        A file that lies there but is not what was expected is renamed to .wrong.

        Args:
            url: http or https.
            name: of the file in the folder; by default the last word of the address.
            sha256: of the file, if its publisher tells. A file that was fetched
                before is held against the sha256 it had then.
            size: in bytes, if known; 0 if not.

        Raises:
            ValueError: if the address or the name cannot be one.
            DownloadError: if the file cannot be had or is not what was expected.
        """
        public = public_address(url, self.public_query)
        path = self.folder / safe_name(name or urlsplit(url).path.rpartition("/")[2])
        self.folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(self.folder / LOCK):
            known = self.fetched().get(path.name, {})
            sha256 = sha256.lower() or known.get("sha256", "")
            size = size or known.get("size", 0)
            if path.exists() and not _is_as_expected(path, sha256, size):
                os.replace(path, path.with_name(path.name + ".wrong"))
            if not path.exists():
                self._fetch_into(path, url, public, sha256, size)
                self._remember(path, public)
        return path

    def fetched(self) -> dict[str, dict]:
        """Returns address, size, sha256 and date of each file fetched, by its name."""
        path = self.folder / MANIFEST
        if path.exists():
            with open(path) as file:
                file.seek(self._manifest_end)  # 100,000 lines are read once
                lines, self._manifest_end = file.readlines(), file.tell()
            for line in lines:
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:
                    entry = {}  # the last line of a run that was killed
                self._fetched[entry.pop("name", "")] = entry
        return self._fetched

    def _remember(self, path: Path, public: str) -> None:
        now = datetime.datetime.now(datetime.UTC)
        entry = {
            "name": path.name,
            "url": public,
            "size": path.stat().st_size,
            "sha256": pooch.file_hash(str(path)),
            "date": now.isoformat(timespec="seconds"),
        }
        with open(self.folder / MANIFEST, "a") as file:
            file.write(json.dumps(entry) + "\n")

    def _fetch_into(self, path, url, public, sha256, size) -> None:
        def download(_, output, __):
            self._resume(url, path, size, is_checked=bool(sha256))
            os.replace(_part(path), output)

        try:
            # Pooch writes the address it is given into its log.
            pooch.retrieve(
                public,
                known_hash=f"sha256:{sha256}" if sha256 else None,
                fname=path.name,
                path=self.folder,
                downloader=download,
            )
        except _Failed as error:
            why, status = str(error), error.status
        except ValueError:  # pooch has found another hash, and removed the file
            why, status = f"its sha256 is not {sha256}, as it should be", 0
        else:
            return
        raise DownloadError(
            f"{path.name} could not be fetched from {public}: {why}. Try again, or put "
            f"the file by hand at {path}.",
            status=status,
        )

    def _resume(self, url, path, size, *, is_checked) -> None:
        """Fetches into the .part file until it is whole."""
        part, failures, furthest = _part(path), 0, 0
        while True:
            try:
                return self._attempt(url, path, size, is_checked)
            except _Failed as error:
                reached = part.stat().st_size if part.exists() else 0
                # Only getting further than ever before buys new attempts.
                failures = 1 if reached > furthest else failures + 1
                furthest = max(furthest, reached)
                if not error.again or failures >= self.attempts:
                    raise
                backoff = 2.0**failures * random.uniform(0.5, 1.0)
                sleep(max(error.wait, backoff))

    def _attempt(self, url, path, size, is_checked) -> None:
        part, tag = _part(path), path.with_name(path.name + ".tag")
        known_tag = tag.read_text() if tag.exists() else ""
        # Without a tag nobody could tell that both halves are of the same file.
        may_resume = part.exists() and (known_tag or is_checked)
        start = part.stat().st_size if may_resume else 0
        headers = {"Range": f"bytes={start}-"} if start else {}
        if start and known_tag:
            headers["If-Range"] = known_tag
        with self._ask(url, headers) as answer:
            start, total = self._begin(answer, start, known_tag, part, size)
            tag.write_text(_tag_of(answer))
            self._stream(answer, part, start, total)
        reached = part.stat().st_size
        if total and reached != total:
            raise _Failed(f"it ended after {reached} of {total} bytes", again=True)
        tag.unlink()
        # The end of a file in chunks is marked; any other end could be a break.
        if not (total or is_checked or answer.raw.chunked):
            part.unlink()
            raise _Failed("neither server nor caller knows its size or sha256")

    def _ask(self, url, headers) -> requests.Response:
        sleep(max(0.0, self._next_request - time.monotonic()))
        self._next_request = time.monotonic() + self.interval
        try:
            return self._session.get(
                url, headers=headers, stream=True, timeout=self.timeout
            )
        except (requests.ConnectionError, requests.Timeout) as error:
            kind, again = type(error).__name__, True
        except requests.RequestException as error:
            kind, again = type(error).__name__, False
        # Raised here, as the error of requests holds the whole address.
        raise _Failed(f"the connection failed ({kind})", again=again)

    def _begin(self, answer, start, known_tag, part, size) -> tuple[int, int]:
        """Returns where the answer's bytes belong and the file's size, 0 if unknown."""
        status = answer.status_code
        if status in BUSY:
            wait = _seconds(answer.headers.get("Retry-After", ""))
            why = f"the server is busy (status {status}"
            why += f", come back in {wait:.0f} s)" if wait else ")"
            raise _Failed(why, status=status, again=wait <= MAX_WAIT, wait=wait)
        span = re.fullmatch(
            r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range", "")
        )
        fits = status == 206 and span and int(span[1]) == start
        if (
            status == 416
            or (status == 206 and not fits)
            or (status == 206 and known_tag and _tag_of(answer) != known_tag)
        ):
            part.unlink(missing_ok=True)
            raise _Failed(f"it could not be resumed at byte {start}", again=True)
        if status not in (200, 206):
            raise _Failed(f"the server says {status}", status=status)
        length = answer.headers.get("Content-Length", "")
        total = int(span[2]) if fits else int(length) if length.isdigit() else 0
        if size and total and total != size:
            part.unlink(missing_ok=True)
            raise _Failed(f"it has {total} bytes, {size} were expected")
        total = total or size
        self._check_size(total, part)
        return (start if fits else 0), total

    def _check_size(self, size, part) -> None:
        if size > self.max_bytes:
            part.unlink(missing_ok=True)
            raise _Failed(f"more than {self.max_bytes} bytes ({size}): refused")

    def _stream(self, answer, part, start, total) -> None:
        begun, received = time.monotonic(), 0
        bar = tqdm.tqdm(
            desc=part.stem,
            total=total or None,
            initial=start,
            unit="B",
            unit_scale=True,
            disable=None if self.progress else True,
        )
        try:
            with bar, open(part, "ab" if start else "wb") as file:
                # Not decoded: a server may call a .gz file an encoding.
                for chunk in answer.raw.stream(CHUNK, decode_content=False):
                    file.write(chunk)
                    received += len(chunk)
                    bar.update(len(chunk))
                    self._check_size(start + received, part)
                    due = begun + received / self.bytes_per_second
                    sleep(max(0.0, due - time.monotonic()))
        except HTTPError as error:
            kind = type(error).__name__
        else:
            return
        reached = f"after {start + received} of {total or 'unknown'} bytes"
        raise _Failed(f"the connection broke ({kind}) {reached}", again=True)


def public_address(url: str, public_query: Collection[str] = ()) -> str:
    """Returns the address without user, password, fragment and unlisted query items.

    Raises:
        ValueError: if it is no address of a file on the web.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(
            f"An address of scheme {parts.scheme!r} at {parts.hostname!r}. Files are "
            "fetched by http or https, from a named host. Give such an address."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    items = [pair for pair in parse_qsl(parts.query) if pair[0] in public_query]
    place = f"{host}:{parts.port}" if parts.port else host
    return urlunsplit((parts.scheme, place, parts.path, urlencode(items), ""))


def safe_name(name: str) -> str:
    """Returns a file name that stays in its folder: odd characters become "_".

    Raises:
        ValueError: if nothing is left of it, or the fetcher needs the name itself.
    """
    safe = re.sub(r"[^\w.+-]", "_", unquote(name), flags=re.ASCII)[-200:].lstrip(".-")
    if not safe.strip("_") or safe == MANIFEST:
        raise InputError(
            f"{name!r} cannot name a fetched file. Letters, digits, '.', '+', '-' and "
            f"'_' are expected, and not {MANIFEST}. Give a name."
        )
    return safe


def _is_as_expected(path: Path, sha256: str, size: int) -> bool:
    if size and path.stat().st_size != size:
        return False
    return not sha256 or pooch.file_hash(str(path)) == sha256


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _tag_of(answer: requests.Response) -> str:
    """Returns what tells this version of the file from others, "" if nothing does."""
    tag = answer.headers.get("ETag", "")
    # A weak tag holds for files that differ in bytes.
    return tag if tag[:1] == '"' else answer.headers.get("Last-Modified", "")


def _seconds(retry_after: str) -> float:
    """Returns how long the server asks to wait, from seconds or a date; else 0."""
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=datetime.UTC)
    return max(0.0, (until - datetime.datetime.now(datetime.UTC)).total_seconds())
