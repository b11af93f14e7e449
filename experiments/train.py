r"""Trains, evaluates and reports: the main job.

    python -m experiments.train --config=configs/semiconformer.py --workdir=runs/one

The config's presets follow a colon (:laptop, :paper, :hits, :smoke) and any of its
keys can be set (--config.seed=1). The same command again continues a run that was
stopped, from its last checkpoint, to the same bits. In the end the folder holds
    config.json          what ran, with the statistics measured on the training fold
    checkpoints/         the latest and the best state
    scalars.jsonl        losses and validation scores by step; tensorboard/ as well
    predictions/         what the best state says of every object of the test fold
    report/index.html    the page to read
"""

import functools
import json
import time
from pathlib import Path

import filelock
import jax
import numpy as np
from absl import flags
from ml_collections import config_flags
from tqdm import tqdm

from experiments import assemble, command
from experiments.dataset import (
    evaluation_batches,
    labelled,
    labels_of,
    measure_statistics,
    open_dataset,
)
from experiments.evaluate import evaluate, predict_rows
from experiments.report import write_report
from jaxastro.data.loader import Batches
from jaxastro.data.sampling import balanced_draw
from jaxastro.evaluation.metrics import SCORES, scores
from jaxastro.training import sharding
from jaxastro.training.checkpoint import Checkpoints, abstract_state
from jaxastro.training.scalars import Scalars, read_scalars

FLAGS = flags.FLAGS


def train(config, workdir: Path, *, data_dir: str = "", manual_dir: str = "") -> None:
    """Trains one run in its folder, from its last checkpoint if there is one."""
    if config.best_metric not in SCORES:
        raise ValueError(
            f"config.best_metric is {config.best_metric!r}. A checkpoint is picked by "
            f"one of {', '.join(SCORES)}."
        )
    # -- devices ---------------------------------------------------------------------
    mesh = sharding.make_mesh()
    sharding.check_batch_size(config.batch_size, mesh)
    print(f"Devices: {mesh.size} x {jax.devices()[0].device_kind}")

    # -- data ------------------------------------------------------------------------
    survey = assemble.survey_of_config(config)
    dataset = open_dataset(config, data_dir=data_dir, manual_dir=manual_dir)
    with config.unlocked():
        statistics = measure_statistics(dataset, config, survey)
        config.data.statistics.update(statistics)
    train_rows, validation_rows = dataset.rows["train"], labelled(dataset, "validation")
    draw = balanced_draw(
        labels_of(dataset, train_rows, config),
        seed=config.seed,
        balance=config.data.balance,
        unlabelled_share=config.data.unlabelled_share,
    )
    batches = Batches(
        dataset.source,
        lambda position: int(train_rows[draw(position)]),
        assemble.series_of_config(config, max_epochs=config.data.loaded_epochs),
        config.classes,
        batch_size=config.batch_size,
        num_batches=config.num_steps,
        num_threads=config.data.num_threads,
    )
    sizes = ", ".join(f"{split} {len(rows)}" for split, rows in dataset.rows.items())
    print(f"Survey {config.survey}, objects: {sizes}. Classes: {config.classes}")
    for label, count in dataset.set_aside.items():
        print(f"Not in config.classes, left out: {count} objects labelled {label}")

    # -- model and method ------------------------------------------------------------
    method = assemble.method_of_config(config)
    everywhere, over_data = sharding.everywhere(mesh), sharding.over_data(mesh)
    key, blank = jax.random.key(config.seed), assemble.blank_inputs(config)
    abstract = abstract_state(method.init, everywhere, key, blank)
    num_parameters = sum(leaf.size for leaf in jax.tree.leaves(abstract.params))
    print(f"{config.method.name}: {num_parameters:,} parameters are trained")

    # -- state: the last checkpoint's, or a new one, made where it will stay -----------
    plain = assemble.to_plain(config)
    checkpoints = Checkpoints(
        workdir / "checkpoints", metric=config.best_metric, create=True
    )
    first_step = checkpoints.latest_step()
    if first_step is None:
        first_step = 0
        init = jax.jit(method.init, out_shardings=everywhere)
        state = init(key, blank)
    else:
        changed = assemble.differences(checkpoints.config_of(first_step), plain)
        if changed:
            raise ValueError(
                f"{workdir} holds a checkpoint of another config. "
                f"{'; '.join(changed)}. Use a new --workdir, or the old config."
            )
        state = checkpoints.restore(first_step, abstract)
        print(f"Continuing from step {first_step}")
    (workdir / assemble.CONFIG_FILE).write_text(json.dumps(plain, indent=1))
    scalars = Scalars(workdir, first_step=first_step)

    # -- step ------------------------------------------------------------------------
    step_fn = jax.jit(
        method.step,
        donate_argnums=0,
        in_shardings=(everywhere, over_data),
        out_shardings=everywhere,
    )
    predict_fn = jax.jit(method.predict, in_shardings=(everywhere, over_data))

    # -- loop ------------------------------------------------------------------------
    last_good, started = first_step, time.monotonic()
    pending = []  # scalars on their way from the device, fetched once per evaluation
    bar = tqdm(initial=first_step, total=config.num_steps, desc="Training", unit="step")
    bar.set_postfix_str("compiling")
    validated = ""  # the last validation score, shown while training goes on
    stopped = is_over(read_scalars(workdir), config)
    stream = iter(()) if stopped else batches.since(first_step)
    for step, batch in enumerate(stream, start=first_step + 1):
        state, values = step_fn(state, sharding.put_batch(batch, mesh))
        pending.append(values)
        # Waits for the step before last, so that the bar tells the truth.
        if len(pending) > 1:
            loss = float(pending[-2]["loss"])
            bar.set_postfix_str(f"loss {loss:.3f}{validated}", refresh=False)
        bar.update()
        if step % config.evaluate_every and step != config.num_steps:
            continue

        fetched = jax.device_get(pending)
        means = {name: np.mean([v[name] for v in fetched]) for name in fetched[0]}
        pending = []
        bar.set_postfix_str("validating")
        label = labels_of(dataset, validation_rows, config)
        output = predict_rows(
            functools.partial(predict_fn, state),
            evaluation_batches(dataset, validation_rows, config),
            mesh,
        )
        if not np.isfinite([*means.values(), output.probability.sum()]).all():
            checkpoints.close()
            kept = f"Step {last_good}'s state is kept" if last_good else "None was good"
            raise FloatingPointError(
                f"The loss or the predictions became NaN or infinite within steps "
                f"{last_good + 1} to {step}. {kept}. Lower "
                "config.optimizer.learning_rate or set config.optimizer.clip, in a new "
                "--workdir."
            )
        valid = scores(label, output.probability, len(config.classes))
        values = {f"train/{name}": float(mean) for name, mean in means.items()}
        values |= {f"validation/{name}": score for name, score in valid.items()}
        scalars.write(step, values)
        checkpoints.save(step, state, plain, valid)
        last_good = step
        validated = f", validation macro F1 {valid['macro_f1']:.3f}"
        tqdm.write(
            f"step {step}: loss {means['loss']:.3f}, validation macro F1 "
            f"{valid['macro_f1']:.3f}, accuracy {valid['accuracy']:.3f}"
        )
        if is_over(read_scalars(workdir), config):
            tqdm.write(f"No better {config.best_metric} for {config.patience} looks.")
            break
    bar.close()
    scalars.close()
    best = checkpoints.best_step()
    checkpoints.close()
    minutes = (time.monotonic() - started) / 60
    print(f"Trained in {minutes:.1f} min. The best state is step {best}'s")

    # -- what it is worth: the test fold, seen here for the first time -----------------
    del state
    evaluate(workdir, data_dir=data_dir, manual_dir=manual_dir)
    write_report(workdir)


def is_over(history: list[dict], config) -> bool:
    """Returns whether the score has not improved for config.patience evaluations."""
    name = f"validation/{config.best_metric}"
    score = [line[name] for line in history if name in line]
    if not config.patience or len(score) <= config.patience:
        return False
    return max(score[-config.patience :]) <= max(score[: -config.patience])


def main() -> None:
    """Runs the command."""
    config = assemble.resolve_preset(FLAGS)
    workdir = Path(FLAGS.workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(workdir / ".lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout as error:
        raise SystemExit(
            f"Another process trains in {workdir}. Wait for it, or use another "
            "--workdir."
        ) from error
    with lock:
        train(config, workdir, data_dir=FLAGS.data_dir, manual_dir=FLAGS.manual_dir)


if __name__ == "__main__":
    config_flags.DEFINE_config_file(
        "config", None, "An experiment, such as configs/semiconformer.py:laptop."
    )
    flags.DEFINE_string("workdir", None, "Folder of the run; made if it is not there.")
    flags.declare_key_flag("data_dir")  # shown by --help
    flags.declare_key_flag("manual_dir")
    command.run(main, needs=("config", "workdir"))
