"""Checkpoints of the training state with metadata, verified by SHA-256 manifests."""

import contextlib
import hashlib
import shutil
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from jaxastro.atomic_write import atomic_write
from jaxastro.errors import FileAccessError, InputError, MissingFileError
from jaxastro.training import sharding
from jaxastro.types import TrainState

SEAL = "manifest.sha256"  # as sha256sum writes it; sha256sum -c reads it


class Checkpoints:
    """The latest two and the best state of a run, saved while training goes on.

    When all files of a checkpoint are on disk, a manifest of their hashes is added, its
    seal. A checkpoint without a seal, or with other hashes, is ignored: Orbax restores
    damaged files without an error.
    """

    def __init__(self, folder: Path, *, metric: str, create: bool = False):
        """Opens a folder.

        Args:
            folder: of the checkpoints of a run.
            metric: validation score that ranks checkpoints, highest is best.
            create: for training: creates the folder and moves damaged checkpoints away.

        Attributes:
            damaged: one sentence for each checkpoint that is ignored.
        """
        self._folder, self._metric = folder.absolute(), metric
        moved, left = {}, {}
        if not create:
            left = _damage(self._folder)
        elif sharding.is_first_process():
            found = _damage(self._folder).items()
            moved = {_set_aside(path): why for path, why in found}
        sharding.wait_for_all("checkpoints verified")
        self._bad = {int(path.name) for path in left}
        self.damaged = [
            f"Checkpoint {path} is ignored: {why}."
            for path, why in (moved | left).items()
        ]
        # max_to_keep with best_fn may delete the latest step, from which a run resumes.
        # The latest two are kept, as one may be damaged.
        best = checkpoint_managers.BestN(
            n=1,
            get_metric_fn=lambda scores: scores[metric],
            keep_checkpoints_without_metrics=False,
        )
        keep = [checkpoint_managers.LatestN(2), best]
        options = ocp.CheckpointManagerOptions(
            preservation_policy=checkpoint_managers.AnyPreservationPolicy(keep),
            best_fn=best.get_metric_fn,
            create=create,
            cleanup_tmp_directories=create,  # incomplete ones of a killed run
            lightweight_initialize=not create,  # otherwise it reads damaged files
        )
        with self._writing():
            self._manager = ocp.CheckpointManager(self._folder, options=options)
        self._sealer = ThreadPoolExecutor(1)
        self._sealing: Future | None = None

    def latest_step(self) -> int | None:
        """Returns the step of the latest checkpoint, None if there is none."""
        return self._agreed(max(self._steps(), default=None))

    def best_step(self) -> int | None:
        """Returns the step of the best checkpoint, the latest if equal, or None."""
        scores = {step: self._manager.metrics(step) for step in self._steps()}
        scores = {step: s[self._metric] for step, s in scores.items() if s}
        best = max(scores, key=lambda step: (scores[step], step), default=None)
        return self._agreed(best)

    def save(
        self, step: int, state: TrainState, notes: dict, scores: dict[str, float] | None
    ) -> None:
        """Starts to save a checkpoint in the background.

        Args:
            step: number of the checkpoint.
            state: to save.
            notes: metadata of the state, such as its config.
            scores: validation scores; None if it has not been evaluated.

        Raises:
            FileAccessError: if this or the previous checkpoint could not be written.
        """
        args = ocp.args.Composite(
            state=ocp.args.StandardSave(state), notes=ocp.args.JsonSave(notes)
        )
        with self._writing():
            self._wait()
            self._manager.save(step, args=args, metrics=scores)
        self._sealing = self._sealer.submit(self._seal, step)

    def restore(self, step: int, abstract: TrainState) -> TrainState:
        """Returns the state of a step with the shardings of `abstract`.

        Args:
            step: number of the checkpoint.
            abstract: jax.ShapeDtypeStruct leaves with shardings, of any mesh.
        Raises:
            InputError: if the checkpoint is of another model.
            MissingFileError: if the checkpoint was deleted meanwhile.
        """
        args = ocp.args.Composite(state=ocp.args.StandardRestore(abstract))
        with self._reading(step):
            return self._manager.restore(step, args=args)["state"]

    def notes_of(self, step: int) -> dict:
        """Returns the metadata saved with a step."""
        args = ocp.args.Composite(notes=ocp.args.JsonRestore())
        with self._reading(step):
            return self._manager.restore(step, args=args)["notes"]

    def close(self) -> None:
        """Waits until all checkpoints are on disk and sealed.

        Raises:
            FileAccessError: if one could not be written.
        """
        with self._writing():
            self._wait()
        self._sealer.shutdown()
        sharding.wait_for_all("checkpoints sealed")
        self._manager.close()

    def _steps(self) -> list[int]:
        return [step for step in self._manager.all_steps() if step not in self._bad]

    def _agreed(self, step: int | None) -> int | None:
        # Hosts may read a shared disk at different times.
        agreed = sharding.from_first_process(-1 if step is None else step)
        return None if agreed == -1 else agreed

    def _wait(self) -> None:
        self._manager.wait_until_finished()
        if self._sealing is not None:
            self._sealing.result()

    def _seal(self, step: int) -> None:
        while self._manager.is_saving_in_progress():
            time.sleep(0.01)
        folder = self._folder / str(step)
        has_state = folder.is_dir()  # otherwise the save failed and raises an error
        if sharding.is_first_process() and has_state:
            text = manifest_of(folder)
            with atomic_write(folder / SEAL) as file:
                file.write(text)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # writers raise either for a full disk
            why = getattr(error, "strerror", None) or str(error).rpartition(": ")[2]
            raise FileAccessError(
                f"A checkpoint could not be written into {self._folder}: {why}. "
                "Free disk space or make the folder writable. The same command "
                "then continues from the latest complete checkpoint."
            ) from error

    @contextlib.contextmanager
    def _reading(self, step: int) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise MissingFileError(
                f"The checkpoint {self._folder / str(step)} was deleted while it was "
                "read, as its run has newer ones. Try again."
            ) from error
        # Orbax raises many types of error for other shapes, including Exception.
        except Exception as error:
            raise InputError(
                f"The checkpoint {self._folder / str(step)} is of another model: "
                f"{textwrap.shorten(str(error), 200)} Use another --workdir."
            ) from error


def manifest_of(folder: Path) -> str:
    """Returns a line of hash and name for each file of a folder except its seal."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = []
    for path in files:
        name = path.relative_to(folder).as_posix()
        if name.partition(".partial")[0] != SEAL:
            with path.open("rb") as file:
                lines.append(
                    f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n"
                )
    return "".join(lines)


def damage_of(folder: Path) -> str:
    """Returns why a checkpoint cannot be used; "" if it can."""
    seal = folder / SEAL
    if not seal.is_file():
        return "it is not complete"
    try:
        sealed, found = seal.read_bytes(), manifest_of(folder).encode()
    except FileNotFoundError:  # its run deletes it
        return "its run is deleting it"
    if sealed == found:
        return ""
    changed = set(sealed.splitlines()) ^ set(found.splitlines())
    names = sorted({line[66:].decode(errors="replace") for line in changed})
    return f"it changed since it was saved, in {', '.join(names) or SEAL}"


def _damage(folder: Path) -> dict[Path, str]:
    """Returns damaged or incomplete checkpoints, each with the reason."""
    steps = sorted(
        (path for path in folder.glob("*") if path.name.isdigit()),
        key=lambda path: int(path.name),
    )
    return {path: damage for path in steps if (damage := damage_of(path))}


def _set_aside(checkpoint: Path) -> Path:
    """Moves a checkpoint to the folder of damaged ones; returns its new path."""
    folder = checkpoint.parent.with_name(f"{checkpoint.parent.name}_set_aside")
    folder.mkdir(exist_ok=True)
    place = folder / checkpoint.name
    shutil.rmtree(place, ignore_errors=True)  # an older damaged one of this step
    return checkpoint.rename(place)
