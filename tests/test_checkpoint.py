import resource
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from runs import assert_same_bits

from jaxastro.training import sharding
from jaxastro.training.checkpoint import Checkpoints, abstract_state
from jaxastro.types import TrainState

# Threads of tensorstore outlive the event loop of a save or restore that failed.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)

EVERYWHERE = sharding.everywhere(sharding.make_mesh())
NAN_WITH_PAYLOAD = np.uint32(0x7FC12345).view(np.float32)


def init(seed=0):
    """A state of odd shapes and types, with a part that is empty."""
    weight = jax.random.normal(jax.random.key(seed), (300, 70))
    params = {"dense": {"kernel": weight, "bias": jnp.arange(70.0)}}
    moments = ({"count": jnp.int32(seed)}, jax.tree.map(jnp.negative, params))
    return TrainState(jnp.int32(seed), params, {}, moments, {}, {})


ABSTRACT = abstract_state(init, EVERYWHERE)


def save(folder, scores, *, first=1):
    """Saves a state for each score, at the steps from `first` on."""
    checkpoints = Checkpoints(folder, metric="macro_f1", create=True)
    for step, score in enumerate(scores, start=first):
        metrics = {"macro_f1": score, "accuracy": 1 - score}
        checkpoints.save(step, init(step), {"seed": step, "widths": [4, 4]}, metrics)
    checkpoints.close()
    return Checkpoints(folder, metric="macro_f1")


def kept(folder):
    return sorted(int(path.name) for path in folder.iterdir())


@pytest.mark.parametrize(
    ("scores", "best", "left"),
    [
        ((0.1, 0.9, 0.5, 0.3), 2, [2, 4]),
        ((0.1, 0.2, 0.3), 3, [3]),
        ((0.5, 0.5, 0.5), 3, [3]),  # the last of equals
        ((0.7,), 1, [1]),
    ],
)
def test_the_latest_and_the_best_are_kept(tmp_path, scores, best, left):
    checkpoints = save(tmp_path / "whole", scores)
    assert checkpoints.latest_step() == len(scores)
    assert checkpoints.best_step() == best
    assert kept(tmp_path / "whole") == left

    # A run that stopped after every step keeps the same.
    for step, score in enumerate(scores, start=1):
        checkpoints = save(tmp_path / "pieces", (score,), first=step)
    assert (checkpoints.latest_step(), checkpoints.best_step()) == (len(scores), best)
    assert kept(tmp_path / "pieces") == left


def test_a_folder_without_checkpoints_has_no_step(tmp_path):
    checkpoints = Checkpoints(tmp_path, metric="macro_f1", create=True)
    assert checkpoints.latest_step() is None
    assert checkpoints.best_step() is None


def test_a_state_comes_back_to_the_bit_where_it_belongs(tmp_path):
    odd = np.array([-0.0, np.inf, 1e-45, NAN_WITH_PAYLOAD], np.float32)
    state = init(3)._replace(batch_stats={"odd": jnp.asarray(odd)})
    checkpoints = Checkpoints(tmp_path, metric="macro_f1", create=True)
    checkpoints.save(3, state, {}, {"macro_f1": 0.5})
    checkpoints.close()
    abstract = abstract_state(lambda: state, EVERYWHERE)
    restored = Checkpoints(tmp_path, metric="macro_f1").restore(3, abstract)
    assert isinstance(restored, TrainState)
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    assert_same_bits(restored, state)
    for leaf in jax.tree.leaves(restored):
        assert leaf.sharding.is_equivalent_to(EVERYWHERE, leaf.ndim)


def test_an_abstract_state_is_made_without_computing():
    def too_large():
        return init()._replace(params=jnp.zeros((1 << 20, 1 << 20, 64)))

    abstract = abstract_state(too_large, EVERYWHERE)
    assert abstract.params.shape == (1 << 20, 1 << 20, 64)
    assert {leaf.sharding for leaf in jax.tree.leaves(abstract)} == {EVERYWHERE}


def test_the_config_lies_beside_every_step(tmp_path):
    checkpoints = save(tmp_path, (0.9, 0.1))
    for step in (1, 2):
        assert checkpoints.config_of(step) == {"seed": step, "widths": [4, 4]}


def test_a_state_is_saved_as_it_was_when_it_was_saved(tmp_path):
    step = jax.jit(lambda s: jax.tree.map(lambda a: a * 0, s), donate_argnums=0)
    state = init(1)
    checkpoints = Checkpoints(tmp_path, metric="macro_f1", create=True)
    checkpoints.save(1, state, {}, {"macro_f1": 0.5})
    step(state)  # training goes on in the same buffers meanwhile
    checkpoints.close()
    restored = Checkpoints(tmp_path, metric="macro_f1").restore(1, ABSTRACT)
    assert_same_bits(restored, init(1))


def test_what_a_kill_left_half_written_is_passed_over_and_replaced(tmp_path):
    save(tmp_path, (0.5,))
    half = tmp_path / "2.orbax-checkpoint-tmp"
    shutil.copytree(tmp_path / "1" / "state", half / "state.orbax-checkpoint-tmp")
    checkpoints = Checkpoints(tmp_path, metric="macro_f1")
    assert (checkpoints.latest_step(), checkpoints.best_step()) == (1, 1)
    checkpoints = save(tmp_path, (0.6,), first=2)
    assert checkpoints.latest_step() == 2
    assert_same_bits(checkpoints.restore(2, ABSTRACT), init(2))
    assert kept(tmp_path) == [2]


def test_a_full_disk_is_said_and_the_last_state_stays(tmp_path):
    save(tmp_path, (0.5,))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:  # no file may grow beyond 20 kB, as if the disk ended there
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        with pytest.raises(OSError, match=r"could not be written into .*Make room"):
            save(tmp_path, (0.9,), first=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    checkpoints = Checkpoints(tmp_path, metric="macro_f1")
    assert (checkpoints.latest_step(), checkpoints.best_step()) == (1, 1)
    assert_same_bits(checkpoints.restore(1, ABSTRACT), init(1))
    checkpoints = save(tmp_path, (0.9,), first=2)
    assert_same_bits(checkpoints.restore(2, ABSTRACT), init(2))


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("damage", "step"),
    [
        (lambda folder: cut(folder / "1" / "state" / "_METADATA"), 1),
        (lambda folder: cut(folder / "1" / "state" / "manifest.ocdbt"), 1),
        (lambda folder: shutil.rmtree(folder / "1" / "state"), 1),
        (lambda folder: (folder / "2").mkdir(), 2),
    ],
)
def test_a_damaged_checkpoint_is_named(tmp_path, damage, step):
    save(tmp_path, (0.5,))
    damage(tmp_path)
    checkpoints = Checkpoints(tmp_path, metric="macro_f1")
    with pytest.raises(
        ValueError, match=f"checkpoint {tmp_path}/{step} is damaged or of"
    ):
        checkpoints.restore(checkpoints.latest_step(), ABSTRACT)


def test_a_checkpoint_of_another_model_is_named(tmp_path):
    checkpoints = save(tmp_path, (0.5,))
    other = abstract_state(lambda: init()._replace(params=jnp.zeros(3)), EVERYWHERE)
    with pytest.raises(ValueError, match=r"of another model: .*params"):
        checkpoints.restore(1, other)
