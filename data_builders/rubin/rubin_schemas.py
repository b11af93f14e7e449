"""Where the schemas of Rubin's alerts come from: a folder of them, or a registry.

They are Rubin's to give (github.com/lsst/alert_packet, GPL), so none is in here. The
environment variable JAXASTRO_RUBIN_SCHEMAS names a folder, or the URL of a registry.
"""

import json
import os
from pathlib import Path

import pooch

from data_builders.engine.download import Fetcher, public_address, safe_name
from jaxastro.alerts.rubin import version_of
from jaxastro.errors import MissingFileError, RecordError

VARIABLE = "JAXASTRO_RUBIN_SCHEMAS"
PUBLIC_REGISTRY = "https://rubin-alert-schemas.slac.stanford.edu/schema-registry"
MAX_BYTES = 2**20  # a schema has 50 kB
WITHIN = ("type", "items", "values", "fields")  # where a schema holds others


class Schemas:
    """Finds schemas by number, each once.

    Args:
        folders: looked into first; with files like lsst.v10_0.alert.avsc, at any depth.
        registry: a URL that answers GET {registry}/schemas/ids/{id} as Confluent's
            registries do. A user and password before its host are sent, never shown.
        cache: a folder that keeps what the registry sent; None is the user's own.
    """

    def __init__(self, folders=(), *, registry: str = "", cache: Path | None = None):
        self.folders, self.cache = tuple(folders), cache
        self.registry = registry.rstrip("/")
        self._found, self._missing = {}, {}

    def find(self, schema_id: int) -> bytes:
        """Returns a schema as JSON, the records that it names written into it.

        Raises:
            RecordError: if it cannot be had; says where it was looked for. It is not
                looked for again.
        """
        if schema_id not in self._found and schema_id not in self._missing:
            try:
                self._found[schema_id] = self._look_for(schema_id)
            # No file, no answer, no JSON, no schema: each is the end of this one.
            except (OSError, ValueError, KeyError, TypeError) as error:
                self._missing[schema_id] = str(error)
        if schema_id in self._found:
            return self._found[schema_id]
        version = version_of(schema_id)
        raise RecordError(
            f"its schema {version} cannot be had: {self._missing[schema_id]} Put "
            f"{_file_of(schema_id)} and the files beside it, from github.com/lsst/"
            "alert_packet, into a folder named schema beside the alerts, or name a "
            f"folder or a registry in {VARIABLE}, such as {PUBLIC_REGISTRY}."
        )

    def _look_for(self, schema_id: int) -> bytes:
        name = _file_of(schema_id)
        for folder in self.folders:
            for path in sorted(Path(folder).rglob(name)):
                text = path.read_text()
                return json.dumps(
                    _inlined(json.loads(text), path.parent, set())
                ).encode()
        if not self.registry:
            looked = ", ".join(map(str, self.folders)) or "no folder"
            raise MissingFileError(f"looked for {name} in {looked}, asked no registry.")
        cache = self.cache or pooch.os_cache("jaxastro") / "rubin_schemas"
        # A number means a schema only at the registry that gave it.
        place = safe_name(public_address(self.registry))
        fetcher = Fetcher(
            cache / place, attempts=2, timeout=30, max_bytes=MAX_BYTES, progress=False
        )
        path = fetcher.fetch(
            f"{self.registry}/schemas/ids/{schema_id}", f"{schema_id}.json"
        )
        schema = json.loads(path.read_text())["schema"]
        return json.dumps(json.loads(schema)).encode()


def schemas_for(folders) -> Schemas:
    """Returns the schemas in some folders, and where the environment says."""
    place = os.environ.get(VARIABLE, "")
    if place.startswith(("http://", "https://")):
        return Schemas(folders, registry=place)
    if place and not Path(place).is_dir():
        raise MissingFileError(
            f"{VARIABLE} is neither a folder nor a URL. A folder with files like "
            f"lsst.v10_0.alert.avsc is expected, or a registry like {PUBLIC_REGISTRY}."
        )
    return Schemas((*folders, Path(place)) if place else folders)


def _file_of(schema_id: int) -> str:
    return f"lsst.v{version_of(schema_id).replace('.', '_')}.alert.avsc"


def _inlined(node, folder: Path, seen: set[str]):
    """Returns a schema in which each record of a file of its own is written out once.

    Later uses of the record are by its name, as Avro has it.
    """
    if isinstance(node, list):
        return [_inlined(part, folder, seen) for part in node]
    if isinstance(node, dict):
        return {
            key: _inlined(part, folder, seen) if key in WITHIN else part
            for key, part in node.items()
        }
    file = folder / f"{node}.avsc"
    if node in seen or not file.is_file():
        return node
    seen.add(node)
    return _inlined(json.loads(file.read_text()), folder, seen)
