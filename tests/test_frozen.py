"""Frozen groups of layers are in prediction mode during training."""

import flax.linen as nn
import jax
import numpy as np
import optax
from support.small_method import assert_same_bits, differs, make_batch, no_augmentation

from jaxastro.layers.frozen import with_frozen_layers
from jaxastro.methods import make_method
from jaxastro.models.convention import ConvEntion
from jaxastro.training.optimizer import make_optimizer
from jaxastro.types import ModelOutput


class Layers(nn.Module):
    """Batch norm and dropout, in a body and in a head."""

    num_classes: int = 3

    @nn.compact
    def __call__(self, inputs, *, train):
        x = inputs.image.mean((1, 2))
        for name in ("body", "head"):
            x = Group(name=name)(x, train)
        return ModelOutput(x[:, : self.num_classes], x, {})


class Group(nn.Module):
    @nn.compact
    def __call__(self, x, train):
        x = nn.BatchNorm(use_running_average=not train, name="norm")(x)
        return nn.Dropout(0.5, deterministic=not train)(nn.Dense(4)(x))


def run(train_only=None, **variables):
    """Output of both groups in training, and the updated statistics."""
    model, batch = Layers(), make_batch()
    start = model.init(jax.random.key(0), batch.inputs, train=False) | variables

    def apply(key):
        return model.apply(
            start,
            batch.inputs,
            train=True,
            rngs={"dropout": key},
            mutable=["batch_stats"],
            capture_intermediates=lambda module, _: isinstance(module, Group),
        )

    fn = apply if train_only is None else with_frozen_layers(apply, train_only)
    _, updated = jax.jit(fn)(jax.random.key(1))
    seen = {k: v["__call__"][0] for k, v in updated["intermediates"].items()}
    return start, seen, updated["batch_stats"]


def test_frozen_groups_are_in_prediction_mode_and_others_in_training_mode():
    start, seen, after = run(("head",))
    assert_same_bits(after["body"], start["batch_stats"]["body"])
    assert differs(after["head"], start["batch_stats"]["head"])
    # With dropout half of the values are zeros.
    assert (np.array(seen["body"]) != 0).all()
    assert (np.array(seen["head"]) == 0).any()
    _, _, free = run()
    assert differs(free["body"], start["batch_stats"]["body"])


def test_only_the_head_of_convention_is_trained():
    small = {"widths": (4, 4, 4, 4), "num_blocks": 1, "num_heads": 2, "hidden": 8}
    model, alone = ConvEntion(3, **small), ("head",)
    optimizer = make_optimizer(
        "adamw", learning_rate=0.1, num_steps=9, weight_decay=0.1, train_only=alone
    )
    method = make_method(
        "supervised",
        model,
        optimizer,
        no_augmentation,
        seed=0,
        train_only=alone,
        gradient_accumulation=2,
    )
    batch = make_batch(4, size=15)
    state = jax.jit(method.init)(jax.random.key(0), batch.inputs)
    after, _ = jax.jit(method.step)(state, batch)
    assert_same_bits(after.batch_stats, state.batch_stats)
    for name in state.params:
        if name == "head":
            assert differs(after.params[name], state.params[name])
        else:
            assert_same_bits(after.params[name], state.params[name])
    both = (jax.jit(method.predict)(s, batch.inputs) for s in (state, after))
    assert_same_bits(*(output.embedding for output in both))


def test_gradients_of_frozen_groups_are_not_computed():
    small = {"widths": (8, 8, 8, 8), "num_blocks": 1, "num_heads": 2, "hidden": 8}
    batch, flops = make_batch(4, size=15), {}
    for parts in (1, 2):
        for only in ((), ("head",)):
            rule = {"learning_rate": 0.1, "num_steps": 9, "train_only": only}
            method = make_method(
                "supervised",
                ConvEntion(3, **small),
                make_optimizer("adam", **rule),
                no_augmentation,
                seed=0,
                train_only=only,
                gradient_accumulation=parts,
            )
            state = jax.eval_shape(method.init, jax.random.key(0), batch.inputs)
            program = jax.jit(method.step).lower(state, batch).compile()
            flops[bool(only)] = program.cost_analysis()["flops"]
        assert flops[True] < 0.5 * flops[False], parts


def test_without_train_only_the_step_is_unchanged():
    args = (Layers(), optax.sgd(0.1), no_augmentation)
    batch = make_batch()
    plain, given = (
        make_method("supervised", *args, seed=0, **more)
        for more in ({}, {"train_only": ()})
    )
    state = jax.jit(plain.init)(jax.random.key(0), batch.inputs)
    assert_same_bits(*(jax.jit(m.step)(state, batch) for m in (plain, given)))
