"""Finds raw files in the given folder or below the folder JAXASTRO_DATA."""

import os
from pathlib import Path

from jaxastro.errors import MissingFileError


def find_raw(name: str, *, survey: str, manual_dir: Path | None, source: str) -> Path:
    """Returns the path of a raw file or folder.

    Searched are manual_dir/survey, manual_dir, and $JAXASTRO_DATA/survey.

    Args:
        name: of the file or folder; "" for the survey's folder itself.
        survey: name of the builder.
        manual_dir: folder given by the user, or None.
        source: where to get the file, for the error message.

    Raises:
        MissingFileError: if it is in none of these folders.
    """
    tried = []
    if manual_dir:
        folders = (Path(manual_dir) / survey, Path(manual_dir))
        tried += [folder / name for folder in folders]
    if os.environ.get("JAXASTRO_DATA"):
        tried.append(Path(os.environ["JAXASTRO_DATA"]) / survey / name)
    for path in tried:
        if path.exists():
            return path
    searched = ", ".join(map(str, tried)) or "nowhere, as no folder was given"
    raise MissingFileError(
        f"No {name or survey}; searched {searched}. Put it into a folder and give that "
        f"as --manual_dir, or set JAXASTRO_DATA to the folder above {survey}/. It "
        f"comes from {source}."
    )
