"""Freed memory stays with the process that a command runs in."""

import platform
import subprocess
import sys

import pytest

SIZE = 64 << 20  # bytes, far above what malloc would keep by itself
PROGRAM = f"""
import resource, sys
import numpy as np
from jaxastro.runs.malloc import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
def faults():
    np.ones({SIZE}, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
first = faults()
print(faults() - first)
"""


def page_faults(how: str) -> int:
    """How many pages a second array of the same size asks the kernel for."""
    command = [sys.executable, "-c", PROGRAM, how]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is of glibc")
def test_a_second_array_takes_the_memory_of_the_first():
    assert page_faults("kept") < 10 < page_faults("returned")
