"""What machines do to a run, and what is left of it: nothing is lost."""

import re
import shutil
import signal
import socket
import time

import filelock
import numpy as np
import pytest
from support import commands
from support.kill_runs import kill_and_continue

from jaxastro.evaluation.predictions import load
from jaxastro.training.checkpoint import SEAL

pytestmark = pytest.mark.slow

# It compiles fastest, and its larger arrays are divided between devices.
SMALLEST = "configs/stamp_classifier.py:smoke"


def test_runs_killed_at_random_moments_end_in_the_same_bits(tmp_path, data_dir):
    # The hundred of docs/results: python -m tests.support.kill_runs --kills=100
    found = kill_and_continue(SMALLEST, tmp_path, data_dir, kills=3, seed=1)
    assert found["kills"] == 3


def start(workdir, data_dir, *more, devices, processes):
    """Starts one training on several processes of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        coordinator = f"127.0.0.1:{free.getsockname()[1]}"
    line = commands.command_line(
        "train",
        f"--config={SMALLEST}",
        *more,
        workdir=workdir,
        data_dir=data_dir,
    )
    hosts = [f"--coordinator={coordinator}", f"--num_processes={processes}"]
    return [
        commands.start(
            *line,
            *(hosts if processes > 1 else []),
            *([f"--process_id={index}"] if processes > 1 else []),
            **commands.with_devices(devices),
        )
        for index in range(processes)
    ]


def ends_of(processes):
    ends = []
    for process in processes:
        stdout, stderr = process.communicate(timeout=600)
        ends.append(commands.Done(process.returncode, stdout, stderr))
    return ends


def test_a_checkpoint_of_eight_devices_continues_on_one_and_on_two_hosts(
    tmp_path, data_dir
):
    key = "--config.mesh.fsdp="
    eight, one, hosts = tmp_path / "eight", tmp_path / "one", tmp_path / "hosts"
    (done,) = ends_of(start(eight, data_dir, f"{key}4", devices=8, processes=1))
    assert done.code == 0, done.stderr
    shutil.copytree(eight, one)
    (done,) = ends_of(start(one, data_dir, devices=1, processes=1))
    assert done.code == 0, done.stderr
    assert "Changed: devices.devices: 8 there, 1 now" in done.stdout
    assert "equal to rounding" in done.stdout

    shutil.copytree(one, hosts)
    ends = ends_of(start(hosts, data_dir, f"{key}2", devices=2, processes=2))
    first, second = ends
    assert (first.code, second.code) == (0, 0), first.stderr + second.stderr
    assert "Devices: 4 x cpu of 2 processes" in first.stdout
    assert "Report: " in first.stdout
    assert "Report: " not in second.stdout  # one process speaks for all
    runs = [load(run / "predictions") for run in (eight, one, hosts)]
    for found in runs[1:]:
        assert (found.object_id == runs[0].object_id).all()
        np.testing.assert_allclose(found.probability, runs[0].probability, atol=1e-5)


def test_two_hosts_that_are_stopped_agree_on_a_step_and_continue(tmp_path, data_dir):
    more = ("--config.num_steps=20", "--config.evaluate_every=2")
    processes = start(tmp_path / "run", data_dir, *more, devices=1, processes=2)
    checkpoints = tmp_path / "run" / "checkpoints"
    while not (checkpoints / "2").exists():
        assert processes[0].poll() is None, processes[0].stderr.read()
        time.sleep(0.01)
    for process in processes:
        process.send_signal(signal.SIGTERM)
    first, second = ends_of(processes)
    assert first.code == second.code == 128 + signal.SIGTERM, first.stderr
    saved = re.search(r"Stopped by SIGTERM: step (\d+) is saved", first.stderr)
    assert (checkpoints / saved[1] / SEAL).exists()
    again = start(tmp_path / "run", data_dir, *more, devices=2, processes=1)
    (done,) = ends_of(again)
    assert done.code == 0, done.stderr
    assert f"Continuing from step {saved[1]}\n" in done.stdout


def test_several_processes_are_refused_a_folder_in_use_and_none_hangs(
    tmp_path, data_dir
):
    with filelock.FileLock(tmp_path / ".lock"):
        first, second = ends_of(start(tmp_path, data_dir, devices=1, processes=2))
    assert first.error_message.startswith(f"Another process trains in {tmp_path}. Wait")
    assert second.code != 0


def test_a_folder_that_vanishes_is_reported(tmp_path, data_dir):
    more = ("--config.num_steps=1000", "--config.evaluate_every=10")
    (process,) = start(tmp_path / "run", data_dir, *more, devices=1, processes=1)
    while not (tmp_path / "run" / "checkpoints" / "10").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    (tmp_path / "run").rename(tmp_path / "gone")
    (done,) = ends_of([process])
    assert str(tmp_path / "run") in done.error_message
