"""Where raw files lie: the folder that was given, else the one JAXASTRO_DATA names."""

import os
from pathlib import Path

from jaxastro.errors import MissingFileError


def find_raw(name: str, *, survey: str, manual_dir: Path | None, source: str) -> Path:
    """Returns the path of a raw file or folder.

    Looked for in manual_dir, in manual_dir/survey, and in $JAXASTRO_DATA/survey.

    Args:
        name: of the file or folder; "" for the survey's folder itself.
        survey: the builder's name, which a shared folder of raw data calls it by.
        manual_dir: what the user gave, or None.
        source: where the file can be had, as the end of a sentence for people.

    Raises:
        FileNotFoundError: if it lies nowhere; says how to get it.
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
    looked = ", ".join(map(str, tried)) or "nowhere: no folder was given"
    raise MissingFileError(
        f"No {name or survey}; looked at {looked}. Put it into a folder, give it as "
        f"--manual_dir, or name the folder above {survey}/ in JAXASTRO_DATA. It comes "
        f"from {source}."
    )
