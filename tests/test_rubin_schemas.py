import base64
import http.server
import json
import threading

import fastavro
import pytest
from support.rubin_packets import (
    message_of,
    packet_of,
    schema_in,
    source_of,
    write_schema,
)

from data_builders.engine import download
from data_builders.rubin import rubin_schemas
from data_builders.rubin.rubin_schemas import Schemas, schemas_for
from jaxastro.alerts import rubin
from jaxastro.errors import RecordError

SECRET = "Dont%40show"  # as it stands in a URL


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A local registry: its URL, the requests it got, and its responses."""
    monkeypatch.setattr(download, "sleep", lambda seconds: None)
    schema = schema_in(write_schema(tmp_path / "served"))
    schema = {k: v for k, v in schema.items() if not k.startswith("__")}
    answers = {"/registry/schemas/ids/1100": (200, {"schema": json.dumps(schema)})}
    requested = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requested.append((self.path, self.headers.get("Authorization")))
            status, answer = answers.get(self.path, (404, {"error_code": 40403}))
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/registry", requested, answers
    server.shutdown()
    server.server_close()


def test_records_of_files_of_their_own_are_written_in_once(tmp_path):
    folder = write_schema(tmp_path / "schema" / "11" / "0")
    found = Schemas((tmp_path,)).find(1100)
    # Another program's reading of the same files agrees, to the last byte it writes.
    ours, theirs = fastavro.parse_schema(json.loads(found)), schema_in(folder)
    packet = packet_of(prvDiaSources=[source_of(diaSourceId=1)])
    assert message_of(packet, ours) == message_of(packet, theirs)
    assert found.count(b'"isDipole"') == 1


def test_a_registry_gets_one_request_per_schema(registry, tmp_path):
    url, requested, _ = registry
    schemas = Schemas(registry=url + "/", cache=tmp_path / "cache")
    assert schemas.find(1100) == schemas.find(1100)
    assert requested == [("/registry/schemas/ids/1100", None)]
    again = Schemas(registry=url, cache=tmp_path / "cache")
    read = rubin.packet_reader(again.find(1100))
    message = message_of(
        packet_of(), fastavro.parse_schema(json.loads(again.find(1100)))
    )
    assert rubin.read_packet(rubin.decode(message, read)).alert.band == 3
    assert len(requested) == 1


def test_a_folder_goes_before_the_registry(registry, tmp_path):
    url, requested, _ = registry
    write_schema(tmp_path / "schema")
    assert Schemas((tmp_path / "schema",), registry=url).find(1100)
    assert requested == []


def test_a_password_is_sent_and_never_shown(registry, tmp_path, caplog, capfd):
    url, requested, _ = registry
    url = url.replace("//", f"//user:{SECRET}@")
    schemas = Schemas(registry=url, cache=tmp_path / "cache")
    schemas.find(1100)
    pair = base64.b64encode(b"user:Dont@show").decode()
    assert requested == [("/registry/schemas/ids/1100", f"Basic {pair}")]
    with pytest.raises(RecordError) as caught:
        schemas.find(704)
    shown = f"{caught.value} {caplog.text} {capfd.readouterr()}"
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    shown += " ".join(f"{path} {path.read_text()}" for path in files)
    assert "Dont" not in shown
    assert "user:" not in shown


def test_a_failed_request_to_a_registry_is_not_repeated(registry, tmp_path):
    url, requested, answers = registry
    answers["/registry/schemas/ids/1000"] = 200, {"message": "hello"}
    answers["/registry/schemas/ids/900"] = 401, {}
    schemas = Schemas(registry=url, cache=tmp_path / "cache")

    def message_of(schema_id):
        with pytest.raises(RecordError, match="JAXASTRO_RUBIN_SCHEMAS") as error:
            schemas.find(schema_id)
        return str(error.value)

    assert "its schema 7.4 is missing" in message_of(704)
    assert "the server answered with status 404" in message_of(704)
    assert "the server answered with status 401" in message_of(900)
    assert "its schema 10.0 is missing: 'schema'" in message_of(1000)
    count = len(requested)
    assert message_of(704) == message_of(704)
    assert len(requested) == count
    gone = Schemas(registry="http://127.0.0.1:9/", cache=tmp_path / "other")
    with pytest.raises(RecordError, match="the connection failed"):
        gone.find(1100)
    with pytest.raises(RecordError, match="scheme 'ftp'"):
        Schemas(registry="ftp://somewhere", cache=tmp_path / "other").find(1100)


def test_the_environment_names_a_folder_or_a_registry(registry, tmp_path, monkeypatch):
    url, _, _ = registry
    monkeypatch.setattr(rubin_schemas.pooch, "os_cache", lambda name: tmp_path / name)
    monkeypatch.delenv(rubin_schemas.VARIABLE, raising=False)
    with pytest.raises(
        RecordError, match=r"lsst\.v11_0\.alert\.avsc is not in any folder"
    ):
        schemas_for(()).find(1100)
    monkeypatch.setenv(rubin_schemas.VARIABLE, url)
    requested = schemas_for(()).find(1100)
    monkeypatch.setenv(rubin_schemas.VARIABLE, str(write_schema(tmp_path / "own")))
    assert json.loads(schemas_for(()).find(1100))["name"].endswith("alert")
    assert json.loads(requested)["name"].endswith("alert")
    monkeypatch.setenv(rubin_schemas.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="neither a folder nor a URL"):
        schemas_for(())


def test_an_invalid_schema_file_is_an_error(tmp_path):
    (tmp_path / "lsst.v11_0.alert.avsc").write_text("{")
    with pytest.raises(RecordError, match=r"its schema 11\.0 is missing: Expecting"):
        Schemas((tmp_path,)).find(1100)
