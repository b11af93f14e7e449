"""Groups raw files into parts of similar size."""

from collections.abc import Iterable
from pathlib import Path

GROUP_BYTES = 2**26


def group_files(
    files: Iterable[Path], *, max_bytes: int = GROUP_BYTES
) -> list[tuple[Path, ...]]:
    """Returns the files in groups, in their order.

    Args:
        files: at least one.
        max_bytes: largest size of a group; a larger file is a group of its own.
    """
    groups, size = [[]], 0
    for file in files:
        bytes_of_file = file.stat().st_size
        size += bytes_of_file
        if groups[-1] and size > max_bytes:
            groups.append([])
            size = bytes_of_file
        groups[-1].append(file)
    return [tuple(group) for group in groups]
