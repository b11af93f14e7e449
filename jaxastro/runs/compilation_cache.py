"""Keeps compiled programs on disk, so that no later command compiles them again.

They are in JAX_COMPILATION_CACHE_DIR or, if that is not set, in the user's cache
folder. A program read back is the program that was compiled, to the bit.
"""

import contextlib
import hashlib
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import jax

from jaxastro.training import sharding

KEPT_FOR = 90 * 24 * 3600  # seconds; JAX itself never removes a program
MIN_COMPILE_TIME = 0.1  # seconds; with the default of 1 s small programs are not kept


def use_compilation_cache(is_enabled: bool = True) -> None:
    """Makes JAX keep compiled programs; prints a warning where it cannot.

    Args:
        is_enabled: False makes JAX compile everything anew.
    """
    if not is_enabled:
        jax.config.update("jax_enable_compilation_cache", False)
    if not jax.config.jax_enable_compilation_cache:
        return
    given = jax.config.jax_compilation_cache_dir
    if not given and sharding.num_processes() > 1:
        # Hosts compile together: if only some find their program, they wait for the
        # others for ever. A folder that the user names is taken to be shared by all.
        return
    folder = given or str(default_folder())
    try:
        _make_ready(folder)
    except OSError as error:
        jax.config.update("jax_enable_compilation_cache", False)
        sys.stderr.write(
            f"Compiled programs cannot be kept in {folder}: {error.strerror}. They are "
            "compiled anew each time. Set JAX_COMPILATION_CACHE_DIR to a folder with "
            "room, or use --nocompilation_cache.\n"
        )
        return
    jax.config.update("jax_compilation_cache_dir", folder)
    if "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS" not in os.environ:
        jax.config.update(
            "jax_persistent_cache_min_compile_time_secs", MIN_COMPILE_TIME
        )


def default_folder() -> Path:
    """Returns the user's own folder of programs, one for each type of machine.

    Homes are shared by machines whose processors differ, and a program that uses
    instructions which another lacks would die there.
    """
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else [platform.processor()]
    found = [
        line for line in lines if line.startswith(("model name", "flags"))
    ] or lines
    processor = hashlib.sha256("\n".join(sorted(set(found))).encode()).hexdigest()[:12]
    name = f"{platform.machine()}-{processor}"
    return Path(home, "jaxastro", "programs", name)


def _make_ready(folder: str) -> None:
    """Makes the folder, tries to write there, and drops what is old or half written.

    Raises:
        OSError: if it cannot be written, or the disk is full.
    """
    if "://" in folder:  # a bucket of a cloud
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(2**20))
    oldest = time.time() - KEPT_FOR
    for path in Path(folder).glob("*-cache"):
        with contextlib.suppress(FileNotFoundError):  # others tidy up as well
            found = path.stat()
            if not found.st_size or found.st_mtime < oldest:
                path.unlink()
