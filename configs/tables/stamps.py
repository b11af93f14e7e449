r"""The first alert: contributions of each stamp and of the numbers.

Reproduces: nothing; the table shows the contribution of each of the three stamps. Five
    classes of simulated alerts, folds by field.
Run:     python -m experiments.run_table --config=configs/tables/stamps.py \
             --workdir=runs/tables
Expect:  docs/results/stamps.md. About an hour on two idle cores.
Presets: :laptop (default without an accelerator), :paper (default with one), :smoke
    (for tests).
"""

import itertools

from configs.tables import base

STAMPS = ("science", "template", "difference")


def get_config(preset: str = "auto"):
    """Returns the table."""
    table = base.make_table("stamps", "The first alert, by stamps and numbers", preset)
    table.stages, table.reference = ("all",), "stamps_all"
    table.changes = ()
    if preset == "smoke":
        table.changes = (("num_steps", 2), ("optimizer.warmup_steps", 0))
    elif preset != "paper":
        table.changes = (("num_steps", 400), ("folds.num_validated", 400))
    config, without = "configs/stamp_classifier.py", ("model.args.features", False)
    base.add_system(table, "stamps_and_numbers", "all stamps and the numbers", config)
    for count in (3, 2, 1):
        for some in itertools.combinations(STAMPS, count):
            key = "all" if count == 3 else "_".join(some)
            name = "all stamps" if count == 3 else " and ".join(some)
            stamps = ("model.args.stamps", some)
            base.add_system(table, f"stamps_{key}", name, config, stamps, without)
    none = ("model.args.stamps", ())
    base.add_system(table, "stamps_none", "the numbers", config, none)
    change = ("method.args.entropy_weight", 0.0)
    name = "all stamps and the numbers, without entropy in the loss"
    base.add_system(table, "stamps_no_entropy", name, config, change)
    base.add_feature_systems(
        table, config, features=("metadata",), key="numbers", name="the numbers"
    )
    table.shown = ("stamps_and_numbers", "stamps_all")
    table.curves = ("SN", "Bogus")
    return table
