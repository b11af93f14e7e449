"""Many runs in one program, each independent of the others."""

import os

import chex
import jax
import numpy as np
import pytest
from support import commands, small_method
from support.predictions import make_predictions, take_objects
from test_loader import batches_of

from jaxastro.data.loader import batches_of_rounds
from jaxastro.evaluation.bootstrap import score_intervals
from jaxastro.evaluation.pool import check_same_objects, ensemble, mean_intervals, pool
from jaxastro.methods import METHODS, make_method
from jaxastro.training import many_models, sharding

MEMBERS, STEPS = 3, 3


def one_device():
    return sharding.make_mesh(1, jax.devices()[:1])


def batch_for(name, member, step):
    return small_method.batch_of(name, seed=100 * member + step)


def train_separately(name, member, **args):
    """State and losses of a member that is trained separately."""
    _, state, step = small_method.make(name, seed=member, **args)
    losses = []
    for number in range(STEPS):
        state, scalars = step(state, batch_for(name, member, number))
        losses.append(float(scalars["loss"]))
    return state, losses


def train_in_one_program(name, members, mesh, execution):
    """States and losses of members that one program trains, in their order."""
    _, first, _ = small_method.make(name)

    def step(seed, state, batch):
        method = make_method(
            name,
            small_method.MODEL,
            small_method.SGD,
            small_method.add_noise,
            seed=seed,
            **small_method.ARGUMENTS[name],
        )
        return method.step(state, batch)

    step = jax.jit(many_models.map_members(step, mesh))
    rounds = many_models.member_groups(len(members), mesh, execution=execution)
    found = {}
    for places in rounds:
        mine = [members[place] for place in places]
        seeds = sharding.put_batch(np.uint32(mine), mesh)
        state = sharding.put_batch(many_models.stack([first] * len(mine)), mesh)
        losses = []
        for number in range(STEPS):
            batch = many_models.stack(
                [batch_for(name, member, number) for member in mine]
            )
            state, scalars = step(seeds, state, sharding.put_batch(batch, mesh))
            losses.append(np.asarray(scalars["loss"]))
        for row, place in enumerate(places):
            its = many_models.member_of(jax.device_get(state), row)
            found[place] = its, [float(loss[row]) for loss in losses]
    return [found[place] for place in range(len(members))]


@pytest.mark.parametrize("execution", many_models.EXECUTIONS)
@pytest.mark.parametrize("name", METHODS)
def test_a_member_is_trained_independently_of_others(name, execution):
    for member, (state, losses) in enumerate(
        train_in_one_program(name, range(MEMBERS), one_device(), execution)
    ):
        expected, expected_losses = train_separately(name, member)
        np.testing.assert_allclose(losses, expected_losses, rtol=1e-5)
        small_method.assert_close(state, expected)
        other, _ = train_separately(name, (member + 1) % MEMBERS)
        assert small_method.differs(state.params, other.params)


def test_sequential_members_have_the_same_bits_in_any_order():
    mesh = one_device()
    forward = train_in_one_program("supervised", [0, 1, 2], mesh, "sequential")
    backward = train_in_one_program("supervised", [2, 1, 0], mesh, "sequential")
    for (state, _), (other, _) in zip(forward, backward[::-1], strict=True):
        small_method.assert_same_bits(state, other)


FOUR = """
import jax
from support import small_method
from test_many_models import one_device, train_in_one_program
from jaxastro.training import sharding
assert jax.device_count() == 4
for name in ("supervised", "semiconformer"):
    expected = train_in_one_program(name, range(5), one_device(), "sequential")
    for execution in ("sequential", "vmapped"):
        found = train_in_one_program(name, range(5), sharding.make_mesh(), execution)
        small_method.assert_close(found, expected)
"""


@pytest.mark.slow
def test_four_devices_equal_one():
    path = f"{commands.ROOT}:{commands.ROOT / 'tests'}:{os.environ['PYTHONPATH']}"
    done = commands.python("-c", FOUR, **commands.with_devices(4), PYTHONPATH=path)
    assert done.code == 0, done.stderr[-3000:]


def test_every_member_is_in_a_group():
    two = jax.sharding.AbstractMesh((2, 1), ("data", "fsdp"))
    assert many_models.member_groups(5, two, execution="sequential") == [
        [0, 1],
        [2, 3],
        [4, 4],
    ]
    assert many_models.member_groups(5, two, execution="vmapped") == [
        [0, 1, 2, 3, 4, 0]
    ]
    assert many_models.member_groups(1, two, execution="sequential") == [[0, 0]]
    with pytest.raises(
        ValueError, match=r"No execution 'both' of many models. Known: sequential"
    ):
        many_models.member_groups(5, two, execution="both")


def test_a_member_gets_its_own_batches():
    mine = [
        batches_of(lambda position, i=i: (position + i) % 5, num_batches=4)
        for i in range(3)
    ]
    first, rounds = [0, 2, 1], [[0, 1], [2, 2]]
    stream = batches_of_rounds(mine, first, rounds, num_threads=2)
    for step in range(4):
        for members in rounds:
            found = next(stream)
            for row, member in enumerate(members):
                expected = mine[member][min(first[member] + step, 3)]
                got = jax.tree.map(lambda a, row=row: a[row], found)
                chex.assert_trees_all_equal(got, expected)
    assert next(stream, None) is None


# -- scores of all folds ---------------------------------------------------------------


def folds_of(predictions):
    """The objects of some predictions in two test folds."""
    half = len(predictions.label) // 2
    return [
        take_objects(predictions, range(half)),
        take_objects(predictions, range(half, len(predictions.label))),
    ]


def test_pooled_folds_score_as_one_test_set():
    whole = make_predictions(60)
    found = pool(folds_of(whole))
    assert found.object_id.tolist() == whole.object_id.tolist()
    expected = score_intervals(whole.label, whole.probability, whole.group, 4)
    assert mean_intervals([found]) == expected


def test_the_mean_of_seeds_and_their_ensemble():
    seeds = [make_predictions(60, seed=3), make_predictions(60, seed=3)]
    seeds[1] = seeds[1]._replace(probability=np.roll(seeds[1].probability, 1, axis=1))
    pools = [pool(folds_of(seed)) for seed in seeds]
    both = ensemble(pools)
    mean = (seeds[0].probability + seeds[1].probability) / 2
    np.testing.assert_allclose(both.probability, mean, atol=1e-7)
    single = [mean_intervals([p])["accuracy"].value for p in pools]
    found = mean_intervals(pools)["accuracy"]
    assert found.value == pytest.approx(np.mean(single))
    assert found.low < found.value < found.high


def test_incompatible_runs_are_refused():
    one, other = folds_of(make_predictions(40))
    with pytest.raises(ValueError, match="Object SN00000 is in 2 test folds"):
        pool([one, one])
    with pytest.raises(ValueError, match="Runs with different classes"):
        pool([one, other._replace(classes=("a", "b", "c", "d"))])
    with pytest.raises(ValueError, match="tested on different objects"):
        check_same_objects([pool([one]), pool([other])])
