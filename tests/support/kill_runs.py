r"""Kills short runs at random moments until all have finished, and compares the bits.

    python -m tests.support.kill_runs --kills=100 --workdir=runs/kills --data_dir=DATA

A run of twelve steps is started, killed with SIGKILL after a random time, and started
again; half of the runs are killed again. In the end every run must have finished with
the parameters, scalars and predictions of the run that nobody killed.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tqdm import tqdm

from jaxastro.evaluation.predictions import load
from support import commands
from support.runs import assert_same_bits, scalars_of, state_of

STEPS = 12
AGAIN = 0.5  # how often a run that was killed is killed once more


def line_of(config: str, workdir: Path, data_dir: Path) -> list:
    """The command of a run that saves after every second step."""
    return commands.command_line(
        "train",
        f"--config={config}",
        f"--config.num_steps={STEPS}",
        "--config.evaluate_every=2",
        workdir=workdir,
        data_dir=data_dir,
    )


def finish(line: list) -> float:
    """Runs a command to its end; returns the seconds it took."""
    started = time.monotonic()
    done = commands.python(*line)
    if done.code:
        raise SystemExit(f"A run did not finish:\n{done.stderr[-4000:]}")
    return time.monotonic() - started


def kill(line: list, after: float) -> bool:
    """Kills a command after some seconds; returns whether it was still alive."""
    with commands.start(*line) as process:
        try:
            process.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        return process.returncode == -signal.SIGKILL


def compare(run: Path, whole: Path) -> None:
    """Raises AssertionError where a run differs from the one never killed."""
    assert_same_bits(state_of(run, STEPS), state_of(whole, STEPS))
    assert scalars_of(run) == scalars_of(whole)
    ours, theirs = (load(folder / "predictions").probability for folder in (run, whole))
    assert (ours == theirs).all()


def kill_and_continue(
    config: str, folder: Path, data_dir: Path, kills: int, seed: int
) -> dict:
    """Kills until there were so many kills; returns how many runs it took."""
    whole = folder / "whole"
    seconds = finish(line_of(config, whole, data_dir))
    seconds = min(seconds, finish(line_of(config, folder / "again", data_dir)))
    compare(folder / "again", whole)
    generator, done, runs = random.Random(seed), 0, 0
    bar = tqdm(total=kills, desc="Killing", unit="kill")
    while done < kills:
        run = folder / f"run_{runs}"
        line = line_of(config, run, data_dir)
        while kill(line, generator.uniform(0, seconds)):
            done += 1
            bar.update()
            if done == kills or generator.random() > AGAIN:
                break
        finish(line)
        compare(run, whole)
        shutil.rmtree(run)
        runs += 1
    return {"kills": done, "runs": runs, "seconds_of_a_run": round(seconds, 1)}


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="configs/convention.py:smoke")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--data_dir", type=Path, required=True)
    given = parser.parse_args()
    found = kill_and_continue(
        given.config, given.workdir, given.data_dir, given.kills, given.seed
    )
    print(f"All runs finished, each to the same bits: {found}")


if __name__ == "__main__":
    main()
