r"""Runs a whole table: every system, fold and member under one protocol.

    python -m experiments.run_table --config=configs/tables/table_4_4.py \
        --workdir=runs/tables

A table lists systems, each a config of its own with a few keys changed, that all go
through the same stages. Runs lie in WORKDIR/PROTOCOL/SYSTEM/STAGE/fold_0/seed_0: tables
given one workdir share the systems they have in common. The same command goes on at
the first run that is not done; --systems does some alone, and the table is always
written of what there is. In the end WORKDIR/PROTOCOL/TABLE holds
    table.md, table.html    scores with 95 % intervals, and what was published, apart
    table.json              one row a run, and two that pool each system's
    *.png                   pictures, which table.html shows
"""

import runpy
from pathlib import Path

import jax
from absl import flags
from ml_collections import ConfigDict
from tqdm import tqdm

from experiments import command_line
from jaxastro.errors import DivergedError, InputError
from jaxastro.evaluation.predictions import load
from jaxastro.evaluation.systems import Member, System
from jaxastro.reports import comparison
from jaxastro.runs.feature_run import train_on_features
from jaxastro.runs.missing_epochs import predict_missing, read_missing
from jaxastro.runs.model_building import count_parameters
from jaxastro.runs.spec import read_spec
from jaxastro.runs.task import read_task
from jaxastro.runs.training_loop import member_folder, train_many
from jaxastro.runs.training_run import device_seconds, is_tested
from jaxastro.training import many_models, sharding

FLAGS = flags.FLAGS


def run_table(
    table: ConfigDict,
    workdir: Path,
    *,
    only: list[str],
    execution: str = "sequential",
    **where: str,
) -> list[Path]:
    """Trains what is not done of a table, and writes it.

    Args:
        table: as configs/tables/base.py describes it.
        only: systems to train; the table is written of all that are done.
        where: data_dir and manual_dir.
    Raises:
        DivergedError: when all else is done and written, if runs diverged.
    """
    each, faults = len(table.folds) * len(table.seeds), []
    total = each * sum(len(table.systems[name].stages) for name in only)
    bar = tqdm(total=total, desc=table.title, unit="run", position=0)
    for name in only:
        system = table.systems[name]
        for stage in system.stages:
            bar.set_postfix_str(f"{name}, {stage}")
            members = {"folds": list(table.folds), "seeds": list(table.seeds), **where}
            spec = command_line.spec_of(stage_config(table, name, stage, workdir))
            folder = workdir / name / stage
            try:
                if system.kind == "network":
                    last = stage == system.stages[-1]
                    train_many(
                        spec,
                        folder,
                        **members,
                        execution=execution,
                        brief=True,
                        tested=last,
                    )
                else:
                    train_on_features(
                        spec,
                        folder,
                        kind=system.kind,
                        features=system.features,
                        table_folder=workdir / "features",
                        **members,
                    )
            except DivergedError as error:
                faults.append(str(error))
                break  # the next stage has nothing to go on from
            bar.update(each)
            # A process may hold some thousands of programs; these are not used again.
            jax.clear_caches()
    bar.close()
    if table.missing:
        done = [
            folder for name in only for *_, folder in members_of(table, name, workdir)
        ]
        for folder in tqdm(done, desc="Without some epochs", unit="run"):
            if set(table.missing) - set(read_missing(folder)):
                predict_missing(folder, tuple(table.missing), **where)
    try:
        return write_table(table, workdir)
    finally:  # also where there is no table, because not one run is left
        if faults:
            raise DivergedError("\n".join(faults))


def stage_config(table: ConfigDict, name: str, stage: str, workdir: Path) -> ConfigDict:
    """Returns the config of a system's stage, in which folds and seeds are set yet.

    Later changes win: the config's own, the table's, the stage's, the system's, and
    the system's for this stage. A later stage goes on from the one before.
    """
    system = table.systems[name]
    file = system.config_of.get(stage, system.config)
    path, _, preset = file.partition(":")
    config = runpy.run_path(path)["get_config"](preset or table.preset)
    config.lock()
    in_stage = [where.in_stage.get(stage, ()) for where in (table, system)]
    for changes in (table.changes, in_stage[0], system.changes, in_stage[1]):
        config.update_from_flattened_dict(dict(changes))
    config.folds.protocol = table.protocol
    config.evaluate_every = -(-config.num_steps // table.evaluations)
    stages = list(system.stages)
    if place := stages.index(stage):
        before = workdir / name / stages[place - 1]
        config.init_from = str(member_folder(before, "{fold}", "{seed}"))
    return config


def members_of(table: ConfigDict, name: str, workdir: Path) -> list[tuple]:
    """Returns fold, seed and the last stage's folder of a system's finished runs."""
    last = workdir / name / table.systems[name].stages[-1]
    return [
        (fold, seed, folder)
        for fold in table.folds
        for seed in table.seeds
        if is_tested(folder := member_folder(last, fold, seed))
    ]


def write_table(table: ConfigDict, workdir: Path) -> list[Path]:
    """Writes the table of the runs that are done, and returns its files."""
    systems = []
    for name in table.rows:
        system, members = table.systems[name], []
        for fold, seed, last in members_of(table, name, workdir):
            folders = [
                member_folder(workdir / name / stage, fold, seed)
                for stage in system.stages
            ]
            seconds = sum(map(device_seconds, folders))
            found = load(last / "predictions")
            members.append(Member(fold, seed, found, seconds, read_missing(last)))
        size = 0
        if system.kind == "network" and members:
            size = count_parameters(read_spec(last), read_task(last))
        published = system.published.to_dict()
        systems.append(System(system.name, tuple(members), size, published))
    return comparison.write(
        systems,
        workdir / table.name,
        title=f"{table.title} (protocol: {table.protocol})",
        reference=table.systems[table.reference].name,
        runs=len(table.folds) * len(table.seeds),
        shown=[table.systems[name].name for name in table.shown],
        classes=table.curves,
    )


def use_cores() -> None:
    """Makes a CPU count as several devices, if that is requested."""
    sharding.use_cores_as_devices(FLAGS.cpu_devices)


def main() -> None:
    """Runs the command."""
    table = command_line.resolve_config()
    only = FLAGS.systems or list(table.rows)
    if unknown := set(only) - set(table.rows):
        raise InputError(
            f"--systems has {unknown.pop()!r}. {table.title} has "
            f"{', '.join(table.rows)}."
        )
    paths = run_table(
        table,
        Path(FLAGS.workdir) / table.protocol,
        only=only,
        execution=FLAGS.execution,
        data_dir=FLAGS.data_dir,
        manual_dir=FLAGS.manual_dir,
    )
    (markdown,) = [path for path in paths if path.name == "table.md"]
    print(markdown.read_text())
    print(f"Page: {markdown.with_suffix('.html')}")


if __name__ == "__main__":
    command_line.define_flags(
        "A table, such as configs/tables/table_4_4.py:laptop.",
        "Folder of all tables and their runs; made if it does not exist.",
    )
    flags.DEFINE_list("systems", [], "Systems to train, of the table's. Default: all.")
    flags.DEFINE_enum(
        "execution",
        "sequential",
        many_models.EXECUTIONS,
        "What a device does with several runs: one after the other, or as one program.",
    )
    flags.DEFINE_integer(
        "cpu_devices", 1, "Devices that a CPU counts as, each with its runs.", 1
    )
    command_line.run(main, needs=("config", "workdir"), before_devices=use_cores)
