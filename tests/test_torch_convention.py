"""Our ConvEntion against the same network in PyTorch, with the same weights."""

import functools
import re

import jax
import numpy as np
import optax
import pytest

torch = pytest.importorskip(
    "torch", reason="the PyTorch yardstick is an extra: pip install '.[torch]'"
)

from support.series import make_series  # noqa: E402

from benchmarks.torch_convention import (  # noqa: E402
    CONVOLUTIONS,
    Batched,
    Published,
    copy_weights,
)
from jaxastro.methods.supervised import supervised  # noqa: E402
from jaxastro.models.convention import ConvEntion  # noqa: E402
from jaxastro.types import Batch, TrainState  # noqa: E402

RATE = 0.1  # of the one step by plain gradient descent
SMALL = {"widths": (6, 5, 4, 4), "num_blocks": 2, "num_heads": 2, "hidden": 8}
TINY = {"objects": 3, "epochs": 9, "size": 17}
BEFORE_RELU = r"norm_\d\.bias|block_\d\.conv_\d\.bias"
PAPER = {"objects": 2, "epochs": 99, "size": 32}


def make_batch(objects, epochs, size):
    """Fully observed series of every band, and their classes."""
    generator = np.random.default_rng(0)
    shape = (objects, epochs)
    inputs = make_series(
        image=generator.normal(size=(*shape, size, size)).astype(np.float32),
        time=np.sort(generator.uniform(0, 100, shape), 1).astype(np.float32),
        band=generator.integers(0, 9, shape).astype(np.int32),
        epoch_mask=np.ones(shape, bool),
    )
    label = np.arange(objects, dtype=np.int32) % 4
    return Batch(inputs, label, np.ones(objects, bool), np.ones(objects, bool))


@functools.cache
def ours(data, network, lift=0.0):
    """A batch, our method, and a state of it.

    A lift is added to what every ReLU of a map is given.
    """
    batch = make_batch(**dict(data))
    model, optimizer = ConvEntion(4, dropout=0.0, **dict(network)), optax.sgd(RATE)
    method = supervised(model, optimizer, lambda key, inputs: inputs, seed=0)
    shapes = jax.eval_shape(method.init, jax.random.key(0), batch.inputs)
    generator = np.random.default_rng(1)

    def fill(path, leaf):  # no bias is 0, no scale 1, no variance 1
        noise, name = generator.normal(size=leaf.shape), path[-1].key
        if name == "kernel":
            noise /= 2 * np.sqrt(np.prod(leaf.shape[:-1]))
        elif name != "band_table":
            noise = 0.1 * noise + (name in ("scale", "var"))
        if re.fullmatch(BEFORE_RELU, ".".join(part.key for part in path)):
            noise += lift
        return noise.astype(np.float32)

    params = jax.tree.map_with_path(fill, shapes.params)
    stats = jax.tree.map_with_path(fill, shapes.batch_stats)
    step = np.zeros((), np.int32)
    return (
        batch,
        method,
        TrainState(step, params, stats, optimizer.init(params), {}, {}),
    )


@functools.cache
def after_ours(data, network, lift=0.0):
    """Our state after one step, the loss, and the logits before."""
    batch, method, state = ours(data, network, lift)
    after, scalars = jax.jit(method.step)(state, batch)
    logits = jax.jit(method.predict)(state, batch.inputs).logits
    return after, float(scalars["loss"]), logits


def variables_of(state):
    return {"params": state.params, "batch_stats": state.batch_stats}


def in_torch(form, state, data, network, **args):
    sizes = {name: n for name, n in data.items() if name != "objects"}
    model = form(4, dropout=0.0, **sizes, **network, **args)
    copy_weights(variables_of(state), model)
    return model


def inputs_of(batch):
    image, band = batch.inputs.image, batch.inputs.band
    return torch.tensor(image), torch.tensor(band, dtype=torch.long)


def step(model, batch):
    """One step of plain gradient descent; returns the loss."""
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    label = torch.tensor(batch.label, dtype=torch.long)
    loss = torch.nn.functional.cross_entropy(model(*inputs_of(batch)), label)
    loss.backward()
    optimizer.step()
    return loss.item()


def logits_of(model, batch):
    model.eval()
    with torch.no_grad():
        return model(*inputs_of(batch)).numpy()


def gradients(model):
    return {name: p.grad.numpy() for name, p in model.named_parameters()}


def assert_alike(a, b, tolerance):
    """All arrays, up to a tolerance in units of the largest number of them all."""
    assert set(a) == set(b)
    largest = max(np.abs(array).max() for array in b.values())
    for name in a:
        gap = np.abs(a[name] - b[name]).max() / largest
        assert gap < tolerance, (name, gap)


def check_one_step(data, network, convolution, lift=0.0):
    key = tuple(data.items()), tuple(network.items()), lift
    (batch, _, state), (after, loss, logits) = ours(*key), after_ours(*key)
    model = in_torch(Batched, state, data, network, convolution=convolution)
    assert_alike({"logits": logits_of(model, batch)}, {"logits": logits}, 1e-5)

    assert step(model, batch) == pytest.approx(loss, rel=1e-5)
    # The gradients, through the same door as the weights.
    change = jax.tree.map(lambda a, b: (a - b) / RATE, state.params, after.params)
    other = in_torch(Batched, state._replace(params=change), data, network)
    expected = {name: p.detach().numpy() for name, p in other.named_parameters()}
    assert_alike(gradients(model), expected, 5e-5)

    other = in_torch(Batched, after, data, network)
    own, expected = model.state_dict(), other.state_dict()
    trained = {name for name, _ in model.named_parameters()}
    averages = {name for name in own if name.endswith("running_mean")}
    for names, tolerance in ((trained, 1e-5), (averages, 1e-5)):
        assert_alike(
            {name: own[name].numpy() for name in names},
            {name: expected[name].numpy() for name in names},
            tolerance,
        )


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_logits_gradients_and_one_step_are_those_of_ours(convolution):
    check_one_step(TINY, SMALL, convolution)


@pytest.mark.slow
def test_at_the_published_widths_too():
    """Of its millions of ReLUs some are given 0 but for rounding, which then decides
    whether they have a gradient: they are lifted away from there.
    """
    check_one_step(PAPER, {}, "channels_last", lift=4.0)


def test_the_published_form_is_ours_where_nothing_learns():
    key = tuple(TINY.items()), tuple(SMALL.items()), 0.0
    (batch, _, state), (_, _, logits) = ours(*key), after_ours(*key)
    model = in_torch(Published, state, TINY, SMALL)
    assert_alike({"logits": logits_of(model, batch)}, {"logits": logits}, 1e-5)


def test_the_published_form_trains_alike_on_one_chunk():
    data = TINY | {"epochs": 3}
    batch, _, state = ours(tuple(data.items()), tuple(SMALL.items()))
    models = [in_torch(form, state, data, SMALL) for form in (Published, Batched)]
    losses = [step(model, batch) for model in models]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    published, best = (
        {name: np.sort(array, axis=None) for name, array in gradients(model).items()}
        for model in models
    )
    assert_alike(published, best, 5e-5)  # sorted: the axes are in another order


def test_the_published_form_has_the_published_count_of_parameters():
    for form in (Published, Batched):
        assert sum(p.numel() for p in form(4).parameters()) == 1_253_108


def test_weights_of_another_network_are_refused():
    _, _, state = ours(tuple(TINY.items()), tuple(SMALL.items()))
    with pytest.raises(ValueError, match=r"block_1.*same classes, epochs, size"):
        in_torch(Batched, state, TINY, SMALL | {"num_blocks": 1})
    with pytest.raises(ValueError, match=r"head\.hidden\.weight.*: not alike"):
        in_torch(Batched, state, TINY, SMALL | {"hidden": 9})


def test_an_unknown_convolution_is_answered_with_the_known():
    with pytest.raises(ValueError, match=r"'fft'\. Known: conv3d, channels_last"):
        Batched(4, convolution="fft")
