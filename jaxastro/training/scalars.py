"""Scalars of a run, as JSON lines and TensorBoard files."""

import json
from pathlib import Path

from tensorboardX import SummaryWriter

from jaxastro.atomic_write import atomic_write


class Scalars:
    """Writes scalars by step. Resuming deletes those of steps that are repeated."""

    def __init__(self, folder: Path, *, first_step: int):
        """Opens a folder's scalars.jsonl, dropping the lines after `first_step`."""
        self.path = folder / "scalars.jsonl"
        kept = [line for line in read_scalars(folder) if line["step"] <= first_step]
        text = "".join(json.dumps(line) + "\n" for line in kept)
        with atomic_write(self.path) as file:
            file.write(text)
        # A full queue blocks: on a full disk its thread dies and never empties it.
        self._board = SummaryWriter(
            str(folder / "tensorboard"),
            purge_step=first_step + 1,
            max_queue=1_000_000,
            flush_secs=10,
        )

    def write(self, step: int, values: dict[str, float]) -> None:
        """Adds one line, such as {"step": 100, "train/loss": 0.7}."""
        values = {name: float(value) for name, value in values.items()}
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        for name, value in values.items():
            self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """Flushes the TensorBoard file."""
        self._board.close()


def read_scalars(folder: Path) -> list[dict]:
    """Returns the lines of scalars.jsonl; an incomplete last line is ignored."""
    path = folder / "scalars.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    complete = []
    for line in lines:
        try:
            complete.append(json.loads(line))
        except json.JSONDecodeError:
            break  # the process was killed while writing it; its step is repeated
    return complete
