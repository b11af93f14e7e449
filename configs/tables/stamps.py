r"""The first alert: what each stamp tells, what the numbers tell, and what both do.

Reproduces: nothing; the report on alert stamps asks for the contribution of each of the
    three stamps. Five classes of simulated alerts, folds by field.
Run:     python -m experiments.run_table --config=configs/tables/stamps.py \
             --workdir=runs/tables
Takes:   about an hour on two idle cores.
Presets: :laptop (chosen without an accelerator), :paper, :smoke.
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
    config, alone = "configs/stamp_classifier.py", ("model.args.features", False)
    base.add_system(table, "stamps_told", "all stamps, and the numbers", config)
    for count in (3, 2, 1):
        for some in itertools.combinations(STAMPS, count):
            key = "all" if count == 3 else "_".join(some)
            name = "all stamps" if count == 3 else " and ".join(some)
            seen = ("model.args.stamps", some), alone
            base.add_system(table, f"stamps_{key}", name, config, *seen)
    none = ("model.args.stamps", ())
    base.add_system(table, "stamps_none", "the numbers alone", config, none)
    sure = ("method.args.entropy_weight", 0.0)
    name = "all stamps, and the numbers; no entropy in the loss"
    base.add_system(table, "stamps_sure", name, config, sure)
    seen = {"features": ("metadata",), "key": "numbers", "name": "the numbers alone"}
    base.on_features(table, config, **seen)
    table.shown = ("stamps_told", "stamps_all")
    table.curves = ("SN", "Bogus")
    return table
