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
from ml_collections import ConfigDict, config_flags
from tqdm import tqdm

from experiments.train_many import cell_folder, train_many
from jaxastro.commands import command_line
from jaxastro.errors import DivergedError, InputError
from jaxastro.evaluation.predictions import load
from jaxastro.evaluation.systems import Member, System
from jaxastro.reports import comparison
from jaxastro.runs import assemble, compilation_cache
from jaxastro.runs.feature_run import train_classical
from jaxastro.runs.missing_epochs import predict_missing, read_missing
from jaxastro.runs.training_run import is_tested, seconds_of
from jaxastro.training import many_models, sharding

FLAGS = flags.FLAGS


def run_table(
    table: ConfigDict,
    workdir: Path,
    *,
    only: list[str],
    how: str = "apart",
    **where: str,
) -> list[Path]:
    """Trains what is not done of a table, and writes it.

    Args:
        table: as configs/tables/base.py describes it.
        only: systems to train; the table is written of all that are done.
        where: data_dir and manual_dir.
    Raises:
        FloatingPointError: when all else is done and written, if runs diverged.
    """
    each, faults = len(table.folds) * len(table.seeds), []
    total = each * sum(len(table.systems[name].stages) for name in only)
    bar = tqdm(total=total, desc=table.title, unit="run", position=0)
    for name in only:
        system = table.systems[name]
        for stage in system.stages:
            bar.set_postfix_str(f"{name}, {stage}")
            cells = {"folds": list(table.folds), "seeds": list(table.seeds), **where}
            args = stage_config(table, name, stage, workdir), workdir / name / stage
            try:
                if system.kind == "network":
                    last = stage == system.stages[-1]
                    train_many(*args, **cells, how=how, brief=True, tested=last)
                else:
                    seen = {"features": system.features, "kept": workdir / "features"}
                    train_classical(*args, **cells, kind=system.kind, **seen)
            except FloatingPointError as error:
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
    config.evaluate_every = -(-config.num_steps // table.looks)
    stages = list(system.stages)
    if place := stages.index(stage):
        before = workdir / name / stages[place - 1]
        config.init_from = str(cell_folder(before, "{fold}", "{seed}"))
    return config


def members_of(table: ConfigDict, name: str, workdir: Path) -> list[tuple]:
    """Returns fold, seed and the last stage's folder of a system's finished runs."""
    last = workdir / name / table.systems[name].stages[-1]
    return [
        (fold, seed, folder)
        for fold in table.folds
        for seed in table.seeds
        if is_tested(folder := cell_folder(last, fold, seed))
    ]


def write_table(table: ConfigDict, workdir: Path) -> list[Path]:
    """Writes the table of the runs that are done, and returns its files."""
    systems = []
    for name in table.rows:
        system, members = table.systems[name], []
        for fold, seed, last in members_of(table, name, workdir):
            folders = [
                cell_folder(workdir / name / stage, fold, seed)
                for stage in system.stages
            ]
            seconds, said = sum(map(seconds_of, folders)), load(last / "predictions")
            members.append(Member(fold, seed, said, seconds, read_missing(last)))
        size = 0
        if system.kind == "network":
            last = stage_config(table, name, system.stages[-1], workdir)
            size = num_parameters(last)
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


def num_parameters(config: ConfigDict) -> int:
    """Returns how many numbers of one network are trained."""
    method = assemble.method_of_config(config, sharding.make_mesh(1, jax.devices()[:1]))
    key, blank = jax.random.key(0), assemble.blank_inputs(config)
    params = jax.eval_shape(method.init, key, blank).params
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def main() -> None:
    """Runs the command."""
    sharding.use_cores_as_devices(FLAGS.cpu_devices)
    compilation_cache.keep_programs()
    table = assemble.resolve_preset(FLAGS)
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
        how=FLAGS.how,
        data_dir=FLAGS.data_dir,
        manual_dir=FLAGS.manual_dir,
    )
    (markdown,) = [path for path in paths if path.name == "table.md"]
    print(markdown.read_text())
    print(f"Page: {markdown.with_suffix('.html')}")


if __name__ == "__main__":
    config_flags.DEFINE_config_file(
        "config", None, "A table, such as configs/tables/table_4_4.py:laptop."
    )
    flags.DEFINE_string(
        "workdir", None, "Folder of all tables and their runs; made if it is not there."
    )
    flags.DEFINE_list("systems", [], "Systems to train, of the table's. Default: all.")
    flags.DEFINE_enum(
        "how",
        "apart",
        many_models.HOWS,
        "What a device does with several runs: one after the other, or as one program.",
    )
    flags.DEFINE_integer(
        "cpu_devices", 1, "Devices that a CPU counts as, each with its runs.", 1
    )
    flags.declare_key_flag("data_dir")  # shown by --help
    flags.declare_key_flag("manual_dir")
    flags.declare_key_flag("compilation_cache")
    command_line.run(main, needs=("config", "workdir"))
