"""Finds the schemas of Rubin alerts, in a folder or a schema registry.

Rubin publishes them under the GPL (github.com/lsst/alert_packet), so this package has
none. The environment variable JAXASTRO_RUBIN_SCHEMAS has a folder or the URL of a
registry.
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
NESTED = ("type", "items", "values", "fields")  # keys that contain schemas


class Schemas:
    """Finds schemas by their numbers, and keeps them.

    Args:
        folders: searched first, for files like lsst.v10_0.alert.avsc at any depth.
        registry: URL of a Confluent registry, with GET {registry}/schemas/ids/{id}.
            User and password in it are never shown.
        cache: folder of downloaded schemas; None is the user's cache folder.
    """

    def __init__(self, folders=(), *, registry: str = "", cache: Path | None = None):
        self.folders, self.cache = tuple(folders), cache
        self.registry = registry.rstrip("/")
        self._found, self._missing = {}, {}

    def find(self, schema_id: int) -> bytes:
        """Returns a schema as JSON, with named records replaced by their definitions.

        Raises:
            RecordError: if it cannot be found; it is not searched again.
        """
        if schema_id not in self._found and schema_id not in self._missing:
            try:
                self._found[schema_id] = self._search(schema_id)
            # No file, no response, no JSON, no schema.
            except (OSError, ValueError, KeyError, TypeError) as error:
                self._missing[schema_id] = str(error)
        if schema_id in self._found:
            return self._found[schema_id]
        version = version_of(schema_id)
        raise RecordError(
            f"its schema {version} is missing: {self._missing[schema_id]} Put "
            f"{_file_of(schema_id)} and the other files of its folder, from "
            "github.com/lsst/alert_packet, into a folder named schema next to the "
            f"alerts, or set {VARIABLE} to a folder or a registry, such as "
            f"{PUBLIC_REGISTRY}."
        )

    def _search(self, schema_id: int) -> bytes:
        name = _file_of(schema_id)
        for folder in self.folders:
            for path in sorted(Path(folder).rglob(name)):
                text = path.read_text()
                return json.dumps(
                    _inlined(json.loads(text), path.parent, set())
                ).encode()
        if not self.registry:
            folders = (
                ", ".join(map(str, self.folders)) or "any folder, as none is given"
            )
            raise MissingFileError(f"{name} is not in {folders}; no registry is set.")
        cache = self.cache or pooch.os_cache("jaxastro") / "rubin_schemas"
        # Numbers of schemas differ between registries.
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
    """Returns the schemas of some folders and of the environment variable."""
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
    """Returns a schema in which each record of another file is defined once.

    Later uses of the record have its name, as Avro requires.
    """
    if isinstance(node, list):
        return [_inlined(part, folder, seen) for part in node]
    if isinstance(node, dict):
        return {
            key: _inlined(part, folder, seen) if key in NESTED else part
            for key, part in node.items()
        }
    file = folder / f"{node}.avsc"
    if node in seen or not file.is_file():
        return node
    seen.add(node)
    return _inlined(json.loads(file.read_text()), folder, seen)
