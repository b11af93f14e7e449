"""Downloads files over HTTP: resumable, verified, rate-limited.

    fetcher = Fetcher(folder, requests_per_second=2)
    path = fetcher.fetch("https://data.sdss.org/.../frame-r-002873-3-0244.fits.bz2")

The folder gets a file fetched.jsonl with one line per file: address, size, sha256 and
date. A file that exists unchanged is not downloaded again. Private parts of an address
(user, password, query, fragment) are never written: not to that file, to a log, or to
an error message.
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
BUSY = (408, 425, 429, 500, 502, 503, 504)  # status codes that justify a new attempt
CHUNK = 1 << 16  # bytes
MAX_WAIT = 600.0  # seconds; if a server demands more, the download fails
# Without identity, the length of a file would differ from the announced one.
HEADERS = {"User-Agent": "jaxastro", "Accept-Encoding": "identity"}

pooch.get_logger().setLevel("WARNING")  # else it logs the hash of every file
# Its debug messages contain complete queries with their secrets.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
sleep = time.sleep


class DownloadError(UserError, OSError):
    """A file could not be downloaded; the message has its name, source and path."""

    def __init__(self, message: str, *, status: int = 0):
        super().__init__(message)
        self.status = status  # HTTP status; 0 without a response


class _Failed(Exception):
    """One attempt failed; the message has the reason and no secret."""

    def __init__(self, why: str, *, status=0, again=False, wait=0.0):
        super().__init__(why)
        self.status, self.again, self.wait = status, again, wait


class Fetcher:
    """Downloads files into one folder, one at a time, also with several processes.

    Args:
        folder: of the files; it is made if it does not exist.
        requests_per_second: largest rate; resuming a file takes several requests.
        bytes_per_second: largest rate within a file.
        max_bytes: largest size of a file.
        attempts: number of failures in a row, without progress, after which to stop.
        timeout: seconds without data after which an attempt has failed.
        public_query: names of query items that are not secret and may be stored.
        progress: show a progress bar on a terminal.
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
        """Returns the path of a complete file, which is downloaded if it is missing.

        A file that exists but does not match is renamed to NAME.wrong.

        Args:
            url: http or https.
            name: of the file in the folder; by default the last part of the address.
            sha256: expected, if known. A file that was downloaded before is compared
                with the sha256 of that time.
            size: expected, bytes; 0 if unknown.

        Raises:
            InputError: if the address or the name is not valid.
            DownloadError: if the file cannot be downloaded or does not match.
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
        """Returns address, size, sha256 and date of all downloaded files, by name."""
        path = self.folder / MANIFEST
        if path.exists():
            with open(path) as file:
                file.seek(
                    self._manifest_end
                )  # read new lines only: there may be 100,000
                lines, self._manifest_end = file.readlines(), file.tell()
            for line in lines:
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:
                    entry = {}  # an incomplete last line, of a process that was killed
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
            # Pooch logs this address: the public one.
            pooch.retrieve(
                public,
                known_hash=f"sha256:{sha256}" if sha256 else None,
                fname=path.name,
                path=self.folder,
                downloader=download,
            )
        except _Failed as error:
            why, status = str(error), error.status
        except ValueError:  # the hash differs, and pooch has removed the file
            why, status = f"its sha256 is not {sha256}", 0
        else:
            return
        raise DownloadError(
            f"{path.name} could not be downloaded from {public}: {why}. Try again, or "
            f"put the file at {path} by hand.",
            status=status,
        )

    def _resume(self, url, path, size, *, is_checked) -> None:
        """Downloads into the .part file until it is complete."""
        part, failures, furthest = _part(path), 0, 0
        while True:
            try:
                return self._attempt(url, path, size, is_checked)
            except _Failed as error:
                reached = part.stat().st_size if part.exists() else 0
                # Only new progress resets the number of failures.
                failures = 1 if reached > furthest else failures + 1
                furthest = max(furthest, reached)
                if not error.again or failures >= self.attempts:
                    raise
                backoff = 2.0**failures * random.uniform(0.5, 1.0)
                sleep(max(error.wait, backoff))

    def _attempt(self, url, path, size, is_checked) -> None:
        part, tag = _part(path), path.with_name(path.name + ".tag")
        known_tag = tag.read_text() if tag.exists() else ""
        # Without a tag, both parts might be of different versions of the file.
        may_resume = part.exists() and (known_tag or is_checked)
        start = part.stat().st_size if may_resume else 0
        headers = {"Range": f"bytes={start}-"} if start else {}
        if start and known_tag:
            headers["If-Range"] = known_tag
        with self._request(url, headers) as response:
            start, total = self._check_response(response, start, known_tag, part, size)
            tag.write_text(_tag_of(response))
            self._stream(response, part, start, total)
        reached = part.stat().st_size
        if total and reached != total:
            raise _Failed(f"it ended after {reached} of {total} bytes", again=True)
        tag.unlink()
        # Chunked transfer marks the end of a file; otherwise it may be incomplete.
        if not (total or is_checked or response.raw.chunked):
            part.unlink()
            raise _Failed("its size and sha256 are unknown")

    def _request(self, url, headers) -> requests.Response:
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
        # Raised here, because the error of requests contains the complete address.
        raise _Failed(f"the connection failed ({kind})", again=again)

    def _check_response(
        self, response, start, known_tag, part, size
    ) -> tuple[int, int]:
        """Returns the position of the data in the file and its size, 0 if unknown."""
        status = response.status_code
        if status in BUSY:
            wait = _seconds(response.headers.get("Retry-After", ""))
            why = f"the server is busy (status {status}"
            why += f", retry after {wait:.0f} s)" if wait else ")"
            raise _Failed(why, status=status, again=wait <= MAX_WAIT, wait=wait)
        span = re.fullmatch(
            r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", "")
        )
        fits = status == 206 and span and int(span[1]) == start
        if (
            status == 416
            or (status == 206 and not fits)
            or (status == 206 and known_tag and _tag_of(response) != known_tag)
        ):
            part.unlink(missing_ok=True)
            raise _Failed(f"it could not be resumed at byte {start}", again=True)
        if status not in (200, 206):
            raise _Failed(f"the server answered with status {status}", status=status)
        length = response.headers.get("Content-Length", "")
        total = int(span[2]) if fits else int(length) if length.isdigit() else 0
        if size and total and total != size:
            part.unlink(missing_ok=True)
            raise _Failed(f"it has {total} bytes, {size} are expected")
        total = total or size
        self._check_size(total, part)
        return (start if fits else 0), total

    def _check_size(self, size, part) -> None:
        if size > self.max_bytes:
            part.unlink(missing_ok=True)
            raise _Failed(f"it has {size} bytes, more than the limit {self.max_bytes}")

    def _stream(self, response, part, start, total) -> None:
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
                # Not decoded: a server may declare a .gz file as an encoding.
                for chunk in response.raw.stream(CHUNK, decode_content=False):
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
    """Returns the address without user, password, fragment and private query items.

    Raises:
        InputError: if it is not an http or https address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(
            f"An address of scheme {parts.scheme!r} at {parts.hostname!r}. http or "
            "https and a host name are expected. Give such an address."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    items = [pair for pair in parse_qsl(parts.query) if pair[0] in public_query]
    place = f"{host}:{parts.port}" if parts.port else host
    return urlunsplit((parts.scheme, place, parts.path, urlencode(items), ""))


def safe_name(name: str) -> str:
    """Returns a valid file name without folders: special characters become "_".

    Raises:
        InputError: if nothing is left of it, or the name is reserved.
    """
    safe = re.sub(r"[^\w.+-]", "_", unquote(name), flags=re.ASCII)[-200:].lstrip(".-")
    if not safe.strip("_") or safe == MANIFEST:
        raise InputError(
            f"{name!r} cannot be the name of a file. Letters, digits, '.', '+', '-' "
            f"and '_' are expected, and not {MANIFEST}. Give another name."
        )
    return safe


def _is_as_expected(path: Path, sha256: str, size: int) -> bool:
    if size and path.stat().st_size != size:
        return False
    return not sha256 or pooch.file_hash(str(path)) == sha256


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _tag_of(response: requests.Response) -> str:
    """Returns a tag of this version of the file, "" if there is none."""
    tag = response.headers.get("ETag", "")
    # A weak tag may be the same for files with different bytes.
    return tag if tag[:1] == '"' else response.headers.get("Last-Modified", "")


def _seconds(retry_after: str) -> float:
    """Returns the waiting time, seconds, from a number or a date; else 0."""
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=datetime.UTC)
    return max(0.0, (until - datetime.datetime.now(datetime.UTC)).total_seconds())
