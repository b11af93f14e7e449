import resource
import shutil
import subprocess

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.runs import assert_same_bits

from jaxastro.training import sharding
from jaxastro.training.checkpoint import SEAL, Checkpoints, damage_of
from jaxastro.types import TrainState

# Threads of tensorstore outlive the event loop of a failed save or restore.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)

MESH = sharding.make_mesh()
EVERYWHERE = sharding.replicated(MESH)
NAN_WITH_PAYLOAD = np.uint32(0x7FC12345).view(np.float32)


def init(seed=0):
    """A state of various shapes and types, with an empty part."""
    weight = jax.random.normal(jax.random.key(seed), (300, 70))
    params = {"dense": {"kernel": weight, "bias": jnp.arange(70.0)}}
    moments = ({"count": jnp.int32(seed)}, jax.tree.map(jnp.negative, params))
    return TrainState(jnp.int32(seed), params, {}, moments, {}, {})


ABSTRACT = sharding.abstract_state(init, MESH)


def save(folder, scores, *, first=1):
    """Saves a state per score, at consecutive steps from `first`."""
    checkpoints = Checkpoints(folder, metric="macro_f1", create=True)
    for step, score in enumerate(scores, start=first):
        metrics = None if score is None else {"macro_f1": score, "accuracy": 1 - score}
        checkpoints.save(step, init(step), {"seed": step, "widths": [4, 4]}, metrics)
    checkpoints.close()
    return Checkpoints(folder, metric="macro_f1")


def kept(folder):
    return sorted(int(path.name) for path in folder.iterdir())


@pytest.mark.parametrize(
    ("scores", "best", "left"),
    [
        ((0.1, 0.9, 0.5, 0.3, 0.2), 2, [2, 4, 5]),
        ((0.1, 0.2, 0.3), 3, [2, 3]),
        ((0.5, 0.5, 0.5), 3, [2, 3]),  # the latest of equal scores
        ((0.7,), 1, [1]),
        ((None, 0.7, None, None), 2, [2, 3, 4]),  # stopped before evaluation
        ((0.7, None, None, None, 0.6), 1, [1, 4, 5]),
    ],
)
def test_the_latest_two_and_the_best_are_kept(tmp_path, scores, best, left):
    checkpoints = save(tmp_path / "whole", scores)
    assert checkpoints.latest_step() == len(scores)
    assert checkpoints.best_step() == best
    assert kept(tmp_path / "whole") == left

    # A run that is stopped after every step keeps the same checkpoints.
    for step, score in enumerate(scores, start=1):
        checkpoints = save(tmp_path / "pieces", (score,), first=step)
    assert (checkpoints.latest_step(), checkpoints.best_step()) == (len(scores), best)
    assert kept(tmp_path / "pieces") == left


def test_a_folder_without_checkpoints_has_no_step(tmp_path):
    checkpoints = Checkpoints(tmp_path, metric="macro_f1", create=True)
    assert checkpoints.latest_step() is None
    assert checkpoints.best_step() is None


def test_a_restored_state_has_the_same_bits_and_shardings(tmp_path):
    odd = np.array([-0.0, np.inf, 1e-45, NAN_WITH_PAYLOAD], np.float32)
    state = init(3)._replace(batch_stats={"odd": jnp.asarray(odd)})
    checkpoints = Checkpoints(tmp_path, metric="macro_f1", create=True)
    checkpoints.save(3, state, {}, {"macro_f1": 0.5})
    checkpoints.close()
    abstract = sharding.abstract_state(lambda: state, MESH)
    restored = Checkpoints(tmp_path, metric="macro_f1").restore(3, abstract)
    assert isinstance(restored, TrainState)
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    assert_same_bits(restored, state)
    for leaf in jax.tree.leaves(restored):
        assert leaf.sharding.is_equivalent_to(EVERYWHERE, leaf.ndim)


def test_an_abstract_state_needs_no_computation():
    def too_large():
        return init()._replace(params=jnp.zeros((1 << 20, 1 << 20, 64)))

    abstract = sharding.abstract_state(too_large, MESH)
    assert abstract.params.shape == (1 << 20, 1 << 20, 64)
    assert {leaf.sharding for leaf in jax.tree.leaves(abstract)} == {EVERYWHERE}


def test_metadata_are_stored_with_every_step(tmp_path):
    checkpoints = save(tmp_path, (0.9, 0.1))
    for step in (1, 2):
        assert checkpoints.notes_of(step) == {"seed": step, "widths": [4, 4]}


def test_later_steps_do_not_change_a_state_being_saved(tmp_path):
    step = jax.jit(lambda s: jax.tree.map(lambda a: a * 0, s), donate_argnums=0)
    state = init(1)
    checkpoints = Checkpoints(tmp_path, metric="macro_f1", create=True)
    checkpoints.save(1, state, {}, {"macro_f1": 0.5})
    step(state)  # meanwhile training continues in the same buffers
    checkpoints.close()
    restored = Checkpoints(tmp_path, metric="macro_f1").restore(1, ABSTRACT)
    assert_same_bits(restored, init(1))


def test_an_incomplete_checkpoint_of_a_killed_run_is_ignored_and_replaced(tmp_path):
    save(tmp_path, (0.5,))
    half = tmp_path / "2.orbax-checkpoint-tmp"
    shutil.copytree(tmp_path / "1" / "state", half / "state.orbax-checkpoint-tmp")
    checkpoints = Checkpoints(tmp_path, metric="macro_f1")
    assert (checkpoints.latest_step(), checkpoints.best_step()) == (1, 1)
    checkpoints = save(tmp_path, (0.6,), first=2)
    assert checkpoints.latest_step() == 2
    assert_same_bits(checkpoints.restore(2, ABSTRACT), init(2))
    assert kept(tmp_path) == [1, 2]


def test_a_full_disk_is_an_error_and_keeps_the_latest_checkpoint(tmp_path):
    save(tmp_path, (0.5,))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:  # limits files to 20 kB, as a full disk does
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        with pytest.raises(OSError, match=r"could not be written into .*Free disk"):
            save(tmp_path, (0.9,), first=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    checkpoints = Checkpoints(tmp_path, metric="macro_f1")
    assert (checkpoints.latest_step(), checkpoints.best_step()) == (1, 1)
    assert_same_bits(checkpoints.restore(1, ABSTRACT), init(1))
    checkpoints = save(tmp_path, (0.9,), first=2)
    assert_same_bits(checkpoints.restore(2, ABSTRACT), init(2))


# -- damage ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_states(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints") / "whole"
    save(folder, (0.4, 0.5))
    return folder


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[int(position * (len(content) - 1))] ^= 4
    path.write_bytes(content)


DAMAGES = {
    "one bit flipped at the start": lambda path: flip(path, 0),
    "one bit flipped in the middle": lambda path: flip(path, 0.5),
    "one bit flipped at the end": lambda path: flip(path, 1),
    "a byte cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "a byte added": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "removed": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_to_any_file_of_a_checkpoint_is_detected(two_states, tmp_path, damage):
    files = [p.relative_to(two_states) for p in (two_states / "2").rglob("*")]
    files = [p for p in files if (two_states / p).is_file()]
    assert len(files) >= 12
    for file in files:
        folder = shutil.copytree(two_states, tmp_path / file.name, dirs_exist_ok=True)
        damage(folder / file)
        assert damage_of(folder / "2"), file
        assert not damage_of(folder / "1")
        # A reader does not move it, as its run may be writing it.
        reader = Checkpoints(folder, metric="macro_f1")
        assert (reader.latest_step(), reader.best_step()) == (1, 1)
        assert len(reader.damaged) == 1
        assert f"{folder}/2 is ignored: it" in reader.damaged[0]
        shutil.rmtree(folder)


def test_a_damaged_checkpoint_is_moved_away_and_the_previous_one_used(
    two_states, tmp_path
):
    folder = shutil.copytree(two_states, tmp_path / "checkpoints")
    payload = max((folder / "2").rglob("*"), key=lambda path: path.stat().st_size)
    flip(payload, 0.5)
    checkpoints = Checkpoints(folder, metric="macro_f1", create=True)
    place = tmp_path / "checkpoints_set_aside" / "2"
    (sentence,) = checkpoints.damaged
    assert str(place) in sentence
    assert payload.name in sentence
    assert (place / SEAL).is_file()
    assert checkpoints.latest_step() == 1
    assert_same_bits(checkpoints.restore(1, ABSTRACT), init(1))
    checkpoints.close()
    # The step is repeated, and can be damaged again.
    save(folder, (0.6,), first=2)
    (folder / "2" / SEAL).unlink()
    checkpoints = Checkpoints(folder, metric="macro_f1", create=True)
    assert "it is not complete" in checkpoints.damaged[0]
    assert checkpoints.latest_step() == 1


def test_sha256sum_verifies_the_seal(two_states):
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", SEAL],
        cwd=two_states / "2",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    checkpoints = save(tmp_path, (0.5,))
    other = sharding.abstract_state(lambda: init()._replace(params=jnp.zeros(3)), MESH)
    with pytest.raises(ValueError, match=r"of another model: .*params"):
        checkpoints.restore(1, other)
