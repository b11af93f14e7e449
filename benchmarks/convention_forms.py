"""One form of ConvEntion in its own process, for benchmarks/convention.py.

    python -m benchmarks.convention_forms FORM OBJECTS EPOCHS DTYPE MEMORY

Prints its device, then answers each line of its input with one of its output: "train"
and "forward" with the seconds of one run, "peak" with the most bytes that a training
step adds to what the process holds between two steps: to its memory on a CPU, to what
the library counts on an accelerator. The parameters and the moments of Adam, 14 MiB in
every form, and what a compiler leaves behind are not counted. MEMORY is "kept" or
"returned": whether freed memory is kept by the process or returned to the kernel.
"""

import ctypes
import gc
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxastro.runs.malloc import keep_freed_memory

SIZE, CLASSES, BANDS = 32, 4, 5
RATE = 1e-3  # of Adam
SIDE = 8192  # of the matrices whose product is timed


class Form(NamedTuple):
    """The functions of a form; each returns when its computation has ended."""

    device: str
    train: Callable[[], object]  # forward, loss, backward, Adam
    forward: Callable[[], object]  # logits of a batch, as in evaluation
    growth: Callable[[], int] | None = None  # bytes on an accelerator; None on a CPU


def make_data(objects: int, epochs: int) -> tuple[np.ndarray, ...]:
    """Returns image, band, label of fully observed series."""
    generator = np.random.default_rng(0)
    image = generator.normal(size=(objects, epochs, SIZE, SIZE)).astype(np.float32)
    band = generator.integers(0, BANDS, (objects, epochs)).astype(np.int32)
    return image, band, np.arange(objects, dtype=np.int32) % CLASSES


def make_matrices() -> np.ndarray:
    """Returns two matrices to multiply."""
    shape = (2, SIDE, SIDE)
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


# -- JAX -------------------------------------------------------------------------------


def jax_form(
    objects: int,
    epochs: int,
    dtype: str,
    *,
    method: str = "supervised",
    remat: bool = False,
) -> Form:
    """Prepares jaxastro's model and a method, compiled as in training.

    Nothing is augmented, as in the other forms.
    """
    import jax
    import jax.numpy as jnp
    import optax

    from jaxastro.methods import make_method
    from jaxastro.models import make_model
    from jaxastro.types import Batch, Series

    device = jax.devices()[0]
    image, band, label = make_data(objects, epochs)
    when, observed = np.zeros(band.shape, np.float32), np.ones(band.shape, bool)
    unknown = np.zeros(band.shape, np.float32)  # ConvEntion does not use it
    series = Series(image, when, band, unknown, unknown, observed)
    known = np.ones(objects, bool)
    batch = jax.tree.map(jnp.asarray, Batch(series, label, known, known))
    model = make_model("convention", num_classes=CLASSES, dtype=dtype, remat=remat)
    way = make_method(method, model, optax.adam(RATE), lambda key, s: s, seed=0)
    state = jax.jit(way.init)(jax.random.key(0), batch.inputs)
    step, predict = jax.jit(way.step, donate_argnums=0), jax.jit(way.predict)

    def train():
        nonlocal state
        state, scalars = step(state, batch)
        jax.block_until_ready((state, scalars))

    def forward():
        jax.block_until_ready(predict(state, batch.inputs).logits)

    def growth():
        counted = device.memory_stats()
        return counted["peak_bytes_in_use"] - counted["bytes_in_use"]

    on_cpu = device.platform == "cpu"
    return Form(device.device_kind, train, forward, None if on_cpu else growth)


def product_in_jax(objects: int, epochs: int, dtype: str) -> Form:
    """Prepares one large matrix product, whose rate is the upper limit."""
    import jax
    import jax.numpy as jnp

    a, b = jnp.asarray(make_matrices(), dtype)
    multiply = jax.jit(jnp.matmul)

    def run():
        multiply(a, b).block_until_ready()

    return Form(jax.devices()[0].device_kind, run, run)


# -- PyTorch ---------------------------------------------------------------------------


def in_torch(
    objects: int, epochs: int, dtype: str, *, convolution: str, compiled: bool = False
) -> Form:
    """Prepares a form in PyTorch; convolution "published" is the one with loops."""
    import torch

    from benchmarks.torch_convention import Batched, Published

    on_cuda = torch.cuda.is_available()
    device = torch.device("cuda" if on_cuda else "cpu")
    wait = torch.cuda.synchronize if on_cuda else lambda: None
    parts = (torch.tensor(part, device=device) for part in make_data(objects, epochs))
    image, band, label = parts
    label = label.long()
    if convolution == "published":
        model = Published(CLASSES, epochs=epochs)
    else:
        model = Batched(CLASSES, epochs=epochs, convolution=convolution)
    model = model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    network = torch.compile(model) if compiled else model
    half = dtype == "bfloat16"
    cast = partial(torch.autocast, device.type, torch.bfloat16, enabled=half)

    def train():
        model.train()
        optimizer.zero_grad()
        with cast():
            logits = network(image, band).float()
        torch.nn.functional.cross_entropy(logits, label).backward()
        optimizer.step()
        wait()

    def forward():
        model.eval()
        with torch.no_grad(), cast():
            network(image, band)
        wait()

    def growth():
        return torch.cuda.max_memory_allocated() - torch.cuda.memory_allocated()

    kind = torch.cuda.get_device_name() if on_cuda else "cpu"
    return Form(kind, train, forward, growth if on_cuda else None)


def product_in_torch(objects: int, epochs: int, dtype: str) -> Form:
    """Prepares one large matrix product, whose rate is the upper limit."""
    import torch

    on_cuda = torch.cuda.is_available()
    a, b = torch.tensor(
        make_matrices(),
        dtype=getattr(torch, dtype),
        device="cuda" if on_cuda else "cpu",
    )

    def run():
        torch.matmul(a, b)
        if on_cuda:
            torch.cuda.synchronize()

    return Form(torch.cuda.get_device_name() if on_cuda else "cpu", run, run)


# -- the process -----------------------------------------------------------------------

FORMS = {
    "jax": jax_form,
    "jax, remat": partial(jax_form, remat=True),
    "jax, Semiconformer": partial(jax_form, method="semiconformer"),
    "torch, published": partial(in_torch, convolution="published"),
    "torch, conv3d": partial(in_torch, convolution="conv3d"),
    "torch, channels_last": partial(in_torch, convolution="channels_last"),
    "torch, stacked": partial(in_torch, convolution="stacked"),
    "torch, compiled": partial(in_torch, convolution="channels_last", compiled=True),
    "product, JAX": product_in_jax,
    "product, torch": product_in_torch,
}


def seconds_of_one(run: Callable[[], object]) -> float:
    """Returns how long one run takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def peak_bytes(form: Form) -> int:
    """Returns the most bytes that a step of training adds."""
    if form.growth is not None:
        return form.growth()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # without it, memory of earlier steps is reused
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # resets the largest size
    form.train()
    return resident("VmHWM") - before


def resident(what: str) -> int:
    """Returns the memory of this process: VmRSS now, VmHWM at its largest; bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return 1024 * int(found[what].split()[0])


def main() -> None:
    """Runs the command."""
    name, objects, epochs, dtype, memory = sys.argv[1:]
    if memory == "kept":
        keep_freed_memory()
    form = FORMS[name](int(objects), int(epochs), dtype)
    print(form.device, flush=True)
    answers = {
        "train": lambda: seconds_of_one(form.train),
        "forward": lambda: seconds_of_one(form.forward),
        "peak": lambda: peak_bytes(form),
    }
    for line in sys.stdin:
        print(answers[line.strip()](), flush=True)


if __name__ == "__main__":
    main()
