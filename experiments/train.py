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

On several hosts the same command runs once on each, with --distributed
(docs/clusters.md). SIGTERM and SIGINT finish the step, save, and end the run.
"""

import contextlib
import os
import sys
import time
from pathlib import Path

import jax
import numpy as np
from absl import flags
from ml_collections import config_flags
from tqdm import tqdm

from experiments.evaluate import evaluate
from experiments.report import write_report
from jaxastro.commands import command_line
from jaxastro.errors import DivergedError, InputError
from jaxastro.evaluation.metrics import SCORES
from jaxastro.runs import assemble, compilation_cache
from jaxastro.runs.dataset import (
    described,
    evaluation_groups,
    labelled,
    labels_of,
    measure_statistics,
    open_dataset,
    training_batches,
)
from jaxastro.runs.early_classification import predict_groups
from jaxastro.runs.graceful_shutdown import Interruption
from jaxastro.runs.initial_state import new_state
from jaxastro.runs.input_timer import Waiting
from jaxastro.runs.predictor import Predictor, abstract_state, validation_scores
from jaxastro.runs.run_lock import alone_in
from jaxastro.training import sharding
from jaxastro.training.checkpoint import Checkpoints
from jaxastro.training.scalars import Scalars, read_scalars

FLAGS = flags.FLAGS


def train(config, workdir: Path, *, data_dir: str = "", manual_dir: str = "") -> None:
    """Trains one run in its folder, from its last checkpoint if there is one."""
    check_best_metric(config)
    # -- devices ---------------------------------------------------------------------
    mesh = sharding.make_mesh(config.mesh.fsdp)
    sharding.check_batch_size(config.batch_size, mesh, config.gradient_accumulation)
    devices = sharding.describe(mesh)
    first = sharding.is_first_process()
    say = tqdm.write if first else lambda *_: None  # one process speaks for all
    hosts = f" of {devices['processes']} processes" * (devices["processes"] > 1)
    say(f"Devices: {devices['devices']} x {devices['kind']}{hosts}")

    # -- data ------------------------------------------------------------------------
    dataset = open_dataset(config, data_dir=data_dir, manual_dir=manual_dir)
    with config.unlocked():
        config.facts, config.classes = dataset.facts, dataset.classes
        survey = assemble.survey_of_config(config)
        statistics = measure_statistics(dataset, config, survey)
        config.statistics.update(statistics)
    validation_rows = labelled(dataset, "validation")
    share = sharding.local_rows(config.batch_size, mesh)
    batches = training_batches(dataset, config, share=share)
    say(described(dataset, config))

    # -- model and method ------------------------------------------------------------
    method = assemble.method_of_config(config, mesh)
    abstract = abstract_state(method, config, mesh)
    places, over_data = sharding.places(abstract), sharding.over_data(mesh)
    num_parameters = sum(leaf.size for leaf in jax.tree.leaves(abstract.params))
    alone = f", of which only {', '.join(config.optimizer.train_only)} is trained"
    say(
        f"{config.method.name}: {num_parameters:,} parameters"
        + alone * bool(config.optimizer.train_only)
    )

    # -- state: the last checkpoint's, or a new one, made where it will stay -----------
    notes = {"config": assemble.to_plain(config), "devices": devices}
    checkpoints = Checkpoints(
        workdir / "checkpoints", metric=config.best_metric, create=True
    )
    for sentence in checkpoints.damaged:
        say(sentence)
    first_step, pending = checkpoints.latest_step(), []
    if first_step is None:
        first_step = 0
        state = new_state(method, config, mesh, say, dataset)
    else:
        then = checkpoints.notes_of(first_step)
        changes = changes_since(then, notes, workdir)
        say("\n".join([f"Continuing from step {first_step}", *changes]))
        state, pending = checkpoints.restore(first_step, abstract), then["pending"]
    if first:
        assemble.write_config(workdir, notes["config"])
        scalars = Scalars(workdir, first_step=first_step)

    # -- step ------------------------------------------------------------------------
    step_fn = jax.jit(
        method.step,
        donate_argnums=0,
        in_shardings=(places, over_data),
        out_shardings=(places, sharding.everywhere(mesh)),
    )
    predictor = Predictor(config, method, abstract, mesh)

    # -- loop ------------------------------------------------------------------------
    step, last_good, started = first_step, first_step, time.monotonic()
    on_the_way = []  # scalars not fetched from the device, so that it never waits
    size = {"initial": first_step, "total": config.num_steps}
    bar = tqdm(desc="Training", unit="step", disable=not first, **size)
    bar.set_postfix_str("compiling")
    validated = ""  # the last validation score, shown while training goes on
    history = [line for line in read_scalars(workdir) if line["step"] <= first_step]
    start = config.num_steps if is_over(history, config) else first_step
    stream = Waiting(batches.since(start))
    with Interruption(mesh) as interruption, contextlib.closing(stream):
        for step, batch in enumerate(stream, start=first_step + 1):
            state, values = step_fn(state, sharding.put_batch(batch, mesh))
            on_the_way.append(values)
            # Waits for the step before last, so that the bar tells the truth.
            if len(on_the_way) > 1:
                loss = float(on_the_way[-2]["loss"])
                bar.set_postfix_str(f"loss {loss:.3f}{validated}", refresh=False)
            bar.update()
            is_due = step % config.evaluate_every == 0 or step == config.num_steps
            is_asked = interruption.is_asked()
            if not is_due and not is_asked:
                continue

            fetched = jax.device_get(on_the_way)
            pending += [{name: float(v[name]) for name in v} for v in fetched]
            on_the_way = []
            # Those that are pending may be of an older version, with other names.
            means = {
                name: np.mean([v[name] for v in pending if name in v])
                for name in fetched[-1]
            }
            means["input_wait"] = stream.share()
            is_finite, valid = np.isfinite([*means.values()]).all(), None
            if is_due and is_finite:
                bar.set_postfix_str("validating")
                groups = evaluation_groups(dataset, validation_rows, config, predictor)
                output = predict_groups(predictor, state, groups)
                is_finite = all(np.isfinite(column).all() for column in output)
            if not is_finite:
                checkpoints.close()
                raise DivergedError(no_numbers(last_good, step))
            if is_due:
                label = labels_of(dataset, validation_rows, config)
                valid = validation_scores(label, output, len(config.classes))
                values = {f"train/{name}": float(mean) for name, mean in means.items()}
                values |= {f"validation/{name}": x for name, x in valid.items()}
                history.append({"step": step, **values})
                pending, last_good = [], step
                if first:
                    scalars.write(step, values)
                validated = f", validation macro F1 {valid['macro_f1']:.3f}"
                say(f"step {step}: loss {means['loss']:.3f}{validated}")
            checkpoints.save(step, state, notes | {"pending": pending}, valid)
            if is_asked or interruption.is_asked_by_now() or is_over(history, config):
                break
        checkpoints.close()
        if interruption.is_asked_by_now():
            interruption.end(step)
    if step < config.num_steps:
        say(f"No better {config.best_metric} for {config.patience} looks.")
    bar.close()
    if first:
        scalars.close()
    minutes, best = (time.monotonic() - started) / 60, checkpoints.best_step()
    say(f"Trained in {minutes:.1f} min. The best state is step {best}'s")

    # -- what it is worth: the test fold, seen here for the first time -----------------
    del state
    evaluate(workdir, data_dir=data_dir, manual_dir=manual_dir)
    if first:
        write_report(workdir)
    sharding.wait_for_all("report written")


def check_best_metric(config) -> None:
    """Says so if no checkpoint could be picked by config.best_metric."""
    known = SCORES
    if config.method.name == "autoencoder":  # which needs no label to be scored
        known = (*SCORES, "log_likelihood")
    if config.best_metric not in known:
        raise InputError(
            f"config.best_metric is {config.best_metric!r}. A checkpoint of method "
            f"{config.method.name} is picked by one of {', '.join(known)}."
        )


def changes_since(then: dict, now: dict, workdir: Path) -> list[str]:
    """Returns what to say of other settings and devices than a checkpoint was made of.

    Raises:
        ValueError: if the run would not be the same run.
    """
    config = assemble.to_plain(assemble.from_plain(then["config"]))
    changes = assemble.differences(config, now["config"])
    harmful = [line for line in changes if not assemble.is_harmless(line)]
    if harmful:
        raise InputError(
            f"{workdir} holds a checkpoint of another config. {'; '.join(harmful)}. "
            "Use a new --workdir, or the old config."
        )
    moved = assemble.differences(then["devices"], now["devices"], "devices")
    rounding = ["From here equal to rounding, not to the bit."] if moved else []
    return [f"Changed: {line}" for line in changes + moved] + rounding


def no_numbers(last_good: int, step: int) -> str:
    """Returns what to say when a loss or a prediction is NaN or infinite."""
    kept = f"Step {last_good}'s state is kept" if last_good else "None was good"
    return (
        f"The loss or the predictions became NaN or infinite within steps "
        f"{last_good + 1} to {step}. {kept}. Lower config.optimizer.learning_rate or "
        "set config.optimizer.clip, in a new --workdir."
    )


def is_over(history: list[dict], config) -> bool:
    """Returns whether the score has not improved for config.patience evaluations."""
    name = f"validation/{config.best_metric}"
    score = [line[name] for line in history if name in line]
    if not config.patience or len(score) <= config.patience:
        return False
    return max(score[-config.patience :]) <= max(score[: -config.patience])


def main() -> None:
    """Runs the command."""
    if FLAGS.distributed or FLAGS.coordinator:
        sharding.join_hosts(FLAGS.coordinator, FLAGS.num_processes, FLAGS.process_id)
    compilation_cache.keep_programs()
    first = sharding.is_first_process()
    with Path(os.devnull).open("w") as nowhere:
        config = assemble.resolve_preset(FLAGS, said=sys.stdout if first else nowhere)
    workdir = Path(FLAGS.workdir)
    # One process holds the folder for all of this run.
    lock = alone_in(workdir) if first else contextlib.nullcontext()
    with lock:
        train(config, workdir, data_dir=FLAGS.data_dir, manual_dir=FLAGS.manual_dir)


if __name__ == "__main__":
    config_flags.DEFINE_config_file(
        "config", None, "An experiment, such as configs/semiconformer.py:laptop."
    )
    flags.DEFINE_string("workdir", None, "Folder of the run; made if it is not there.")
    flags.DEFINE_bool(
        "distributed",
        False,
        "This is one process of several, as JAX learns from SLURM, Kubernetes, Open "
        "MPI or a TPU pod.",
    )
    flags.DEFINE_string(
        "coordinator",
        "",
        "host:port of process 0, where JAX cannot learn of it; implies --distributed.",
    )
    flags.DEFINE_integer("num_processes", 1, "With --coordinator: how many there are.")
    flags.DEFINE_integer("process_id", 0, "With --coordinator: which one this is.")
    flags.declare_key_flag("data_dir")  # shown by --help
    flags.declare_key_flag("manual_dir")
    flags.declare_key_flag("compilation_cache")
    command_line.run(main, needs=("config", "workdir"))
