"""Checkpoints of the whole state, with the config that made it beside it."""

import contextlib
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from jaxastro.types import TrainState


class Checkpoints:
    """The latest and the best state of a run, saved while training goes on."""

    def __init__(self, folder: Path, *, metric: str, create: bool = False):
        """Opens a folder; `metric` names the validation score to rank by, high best."""
        # max_to_keep with best_fn would drop the latest step, and resuming lose work.
        keep = checkpoint_managers.AnyPreservationPolicy(
            [
                checkpoint_managers.LatestN(1),
                checkpoint_managers.BestN(n=1, get_metric_fn=lambda m: m[metric]),
            ]
        )
        options = ocp.CheckpointManagerOptions(
            preservation_policy=keep,
            best_fn=lambda m: m[metric],
            create=create,
            cleanup_tmp_directories=create,  # what a killed run left half written
        )
        self._folder = folder.absolute()
        self._manager = ocp.CheckpointManager(self._folder, options=options)

    def latest_step(self) -> int | None:
        """Returns the step of the last complete checkpoint, None if there is none."""
        return self._manager.latest_step()

    def best_step(self) -> int | None:
        """Returns the step of the best checkpoint, None if there is none."""
        return self._manager.best_step()

    def save(
        self, step: int, state: TrainState, config: dict, metrics: dict[str, float]
    ) -> None:
        """Starts to save; training goes on meanwhile.

        Raises:
            OSError: if this checkpoint or the one before could not be written.
        """
        args = ocp.args.Composite(
            state=ocp.args.StandardSave(state), config=ocp.args.JsonSave(config)
        )
        with self._writing():
            self._manager.save(step, args=args, metrics=metrics)

    def restore(self, step: int, abstract: TrainState) -> TrainState:
        """Returns the state of a step, laid out as `abstract` says.

        Args:
            abstract: jax.ShapeDtypeStruct leaves with shardings, of any mesh.
        Raises:
            ValueError: if the checkpoint is damaged or of another model.
        """
        args = ocp.args.Composite(state=ocp.args.StandardRestore(abstract))
        with self._reading(step):
            return self._manager.restore(step, args=args)["state"]

    def config_of(self, step: int) -> dict:
        """Returns the config stored beside a step."""
        args = ocp.args.Composite(config=ocp.args.JsonRestore())
        with self._reading(step):
            return self._manager.restore(step, args=args)["config"]

    def close(self) -> None:
        """Waits until what was saved is on disk.

        Raises:
            OSError: if it could not be written.
        """
        with self._writing():
            self._manager.wait_until_finished()
        self._manager.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # a full disk is either, by its writer
            raise OSError(
                f"A checkpoint could not be written into {self._folder}: "
                f"{str(error).rpartition(': ')[2]}. Make room there; the same command "
                "then continues from the last complete one."
            ) from error

    @contextlib.contextmanager
    def _reading(self, step: int) -> Iterator[None]:
        try:
            yield
        # Damage raises a dozen types of error, Exception itself among them.
        except Exception as error:
            raise ValueError(
                f"The checkpoint {self._folder / str(step)} is damaged or of another "
                f"model: {textwrap.shorten(str(error), 200)} Remove that folder to go "
                "on from the one before it, or use another --workdir."
            ) from error


def abstract_state(init: Callable[..., TrainState], sharding: Any, *args) -> TrainState:
    """Returns the shapes, types and places of a state without making it."""
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding),
        jax.eval_shape(init, *args),
    )
