"""Scalars of a run: JSON lines to read, TensorBoard files to look at."""

import json
from pathlib import Path

from tensorboardX import SummaryWriter


class Scalars:
    """Writes numbers by step; a resumed run forgets what it is about to repeat."""

    def __init__(self, folder: Path, *, first_step: int):
        """Opens a folder's scalars.jsonl, dropping the lines after `first_step`."""
        self.path = folder / "scalars.jsonl"
        kept = [line for line in read_scalars(folder) if line["step"] <= first_step]
        text = "".join(json.dumps(line) + "\n" for line in kept)
        partial = self.path.with_suffix(".partial")
        partial.write_text(text)
        partial.replace(self.path)  # whole or not at all
        # Never full: its thread dies on a full disk, and would be waited for.
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
    """Returns the lines of scalars.jsonl; a line cut off by a kill is left out."""
    path = folder / "scalars.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    complete = []
    for line in lines:
        try:
            complete.append(json.loads(line))
        except json.JSONDecodeError:
            break  # the process died while it wrote this one; its step is repeated
    return complete
