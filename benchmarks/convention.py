r"""Training step and forward pass of ConvEntion, in JAX and in PyTorch.

    pip install '.[torch]'      # docs/commands.md: the small build for CPUs
    python -m benchmarks.convention [--objects 4] [--epochs 99] [--dtype bfloat16]
    python -m benchmarks.convention --batches 1 2 4 8 16 32       # memory only
    python -m benchmarks.convention --forms jax 'jax, Semiconformer'

A step is forward, loss, backward and Adam, on 32x32 pixels at the published widths. The
forms are jax (supervised; Semiconformer, with two views; remat, with blocks recomputed)
and those of benchmarks/torch_convention.py: published, three ways to batch it, and
channels_last compiled by torch.compile. "torch" in a column's title is the fastest of
these, without the published one. Each form has its own process; they take turns, round
by round, so that other load affects all alike, and ratios are of the same round.

Useful FLOPs are those of the 3D-CNN without its products with frames of zeros. A step
counts as three forward passes (for Semiconformer eight: six for both views, two for the
target). They are compared with the best rate of a large matrix product in this run.
Memory is what a step adds to the process: benchmarks/convention_forms.py.
"""

import importlib.util
import os
import statistics
import subprocess
import sys
from importlib import metadata

from tqdm import tqdm

from benchmarks import result
from benchmarks.convention_forms import FORMS, SIDE, SIZE
from jaxastro.models.convention import DOWNSIZE, ConvEntion

JAX, SEMICONFORMER, PUBLISHED = "jax", "jax, Semiconformer", "torch, published"
FOR_MEMORY = ("jax", "jax, remat", "torch, published", "torch, channels_last")


def gigaflop(epochs: int, *, useful: bool) -> float:
    """Returns the arithmetic of the 3D-CNN's forward pass of one sequence.

    Args:
        useful: without products with the frames of zeros that pad a chunk.
    """
    frames, size, depth, flop = 3, SIZE, 2, 0
    for width, (kernel, stride, pad) in zip(ConvEntion.widths, DOWNSIZE, strict=True):
        size = (size + 2 * pad - kernel) // stride + 1
        num_out = (frames + 2 * pad - 3) // stride + 1
        starts = [stride * s - pad for s in range(num_out)]
        taps = sum(0 <= t + j < frames or not useful for t in starts for j in range(3))
        flop += 2 * taps * kernel**2 * depth * width * size**2
        frames, depth = num_out, width
    return flop * -(-epochs // 3) / 1e9


class Process:
    """One form in its own process."""

    def __init__(self, form: str, objects: int, given):
        self.form = form
        command = [sys.executable, "-m", "benchmarks.convention_forms", form]
        self.process = subprocess.Popen(
            [*command, str(objects), str(given.epochs), given.dtype, given.memory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Several share an accelerator: none may take all of its memory.
            env=os.environ | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"},
        )
        self.device = self._answer()

    def request(self, what: str) -> float:
        """Returns the seconds of "train" or "forward", or the bytes of "peak"."""
        print(what, file=self.process.stdin, flush=True)
        return float(self._answer())

    def peak(self) -> result.Spread:
        """Returns the mebibytes that a step of training adds."""
        return result.spread_of(self.request("peak") / 2**20 for _ in range(3))

    def close(self) -> None:
        """Ends the process."""
        self.process.communicate()

    def _answer(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(
                f"The process of {self.form!r} ended: its message is above. If it was "
                "killed, memory was exhausted: use fewer --objects."
            )
        return line.strip()


def measure_speed(given) -> tuple[list[result.Row], set[str]]:
    """Returns the rows of all forms and of the matrix products, and the devices."""
    processes, seconds = {}, {}
    for form in tqdm(given.forms, desc="Preparing", unit="form"):
        processes[form] = Process(form, given.objects, given)
        for kind in ("train",) if is_product(form) else ("train", "forward"):
            processes[form].request(kind)  # this run compiles: not counted
            seconds[form, kind] = []
    for _ in tqdm(range(given.repeats), desc="Measuring", unit="round"):
        for form, kind in seconds:
            seconds[form, kind].append(processes[form].request(kind))

    networks = [form for form in given.forms if not is_product(form)]
    peaks = {form: processes[form].peak() for form in networks}
    for process in processes.values():
        process.close()
    train = {form: seconds[form, "train"] for form in given.forms}
    products = [form for form in given.forms if is_product(form)]
    rates = {f: 2 * SIDE**3 / 1e9 / min(train[f]) for f in products}
    rows = []
    for form in networks:
        forward = result.spread_of(seconds[form, "forward"])
        measures = measures_of(
            form, train, given, matrix_rate=max(rates.values(), default=0)
        )
        measures |= {"forward ms": result.scaled(forward, 1e3), "peak MiB": peaks[form]}
        batch = f"{given.objects} x {given.epochs} epochs, {given.dtype}"
        rows.append(result.Row({"form": form, "batch": batch}, measures))
    for form, rate in rates.items():
        rows.append(result.Row({"form": form, "dtype": given.dtype}, {"GFLOP/s": rate}))
    return rows, {process.device for process in processes.values()}


def measures_of(form: str, train: dict, given, *, matrix_rate: float) -> dict:
    """Returns the measures of a form's step, from all forms' seconds by round."""
    step = result.spread_of(train[form])
    forwards = 8 if form == SEMICONFORMER else 3
    useful = forwards * given.objects * gigaflop(given.epochs, useful=True)
    measures = {
        "train ms": result.scaled(step, 1e3),
        "sequences/s": result.rate_of(step, given.objects),
        "useful GFLOP/s": result.rate_of(step, useful),
    }
    if matrix_rate:
        measures["of matrix FLOP/s"] = useful / step.median / matrix_rate
    batched = [f for f in train if f.startswith("torch") and f != PUBLISHED]
    best = min(batched, key=lambda f: statistics.median(train[f]), default=None)
    for title, other in (("published", PUBLISHED), ("torch", best), ("jax", JAX)):
        if other in train:
            pairs = zip(train[form], train[other], strict=True)
            ratio = result.spread_of(mine / its for mine, its in pairs)
            measures[f"time / {title}"] = ratio
    return measures


def measure_memory(given) -> tuple[list[result.Row], set[str]]:
    """Returns one row for each batch size, with a column for each form."""
    rows, devices = [], set()
    for objects in tqdm(given.batches, desc="Measuring", unit="batch"):
        measures = {}
        for form in given.forms:
            process = Process(form, objects, given)
            process.request("train")
            process.request("train")  # the first differs from all later ones
            measures[f"{form}: MiB"] = process.peak()
            process.close()
            devices.add(process.device)
        batch = f"{objects} x {given.epochs} epochs, {given.dtype}"
        rows.append(result.Row({"batch": batch}, measures))
    return rows, devices


def is_product(form: str) -> bool:
    """Returns whether a form is a matrix product, not a network."""
    return form.startswith("product")


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=5)
    parser.add_argument("--objects", type=int, default=4, help="in a batch")
    parser.add_argument("--epochs", type=int, default=99, help="of each, in threes")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument(
        "--memory",
        default="kept",
        choices=("kept", "returned"),
        help="freed memory is kept by the process, as by the commands of jaxastro, or "
        "returned to the kernel, as by default",
    )
    parser.add_argument("--forms", nargs="+", choices=FORMS, help="default: all")
    parser.add_argument("--batches", nargs="+", type=int, help="measure memory only")
    given = parser.parse_args()
    given.forms = given.forms or (FOR_MEMORY if given.batches else [*FORMS])
    if given.epochs % 3:
        sys.exit(f"--epochs is {given.epochs}: give a multiple of 3.")
    has_torch = importlib.util.find_spec("torch") is not None
    torch_forms = [form for form in given.forms if "torch" in form]
    if torch_forms and not has_torch:
        sys.exit(
            f"{', '.join(torch_forms)}: PyTorch is not installed. Install it by "
            "pip install '.[torch]', or name other --forms."
        )
    rows, devices = measure_memory(given) if given.batches else measure_speed(given)
    about = {"device": " and ".join(sorted(devices)), "freed memory": given.memory}
    if has_torch:
        about["PyTorch"] = metadata.version("torch")
    result.show(rows, as_json=given.json, about=about)


if __name__ == "__main__":
    main()
