r"""What the theses did not try, and a configuration of ours, on the same protocol.

Reproduces: nothing; every row is ours but the two that the others are measured by.
Run:     python -m experiments.run_table --config=configs/tables/beyond.py \
             --workdir=runs/tables
Takes:   about 90 minutes on two idle cores; of three members, four hours and a half.
Presets: :laptop (chosen without an accelerator), :paper, :smoke.
"""

from configs.tables import base


def get_config(preset: str = "auto"):
    """Returns the table."""
    table = base.make_table("beyond", "Beyond the published systems", preset)
    base.convention(table)
    config = "configs/convention.py"
    # The norm that the preset has not. A joint one asks for views of full length.
    norm, views = "per_epoch", ()
    if preset != "paper":
        norm, views = "joint", (("augment.max_epochs", 9 if preset == "smoke" else 60),)
    change = "linear" if preset == "paper" else "asinh"
    for key, name, *changes in (
        (
            f"norm_{norm}",
            f"{norm} norm".replace("_", "-"),
            ("model.args.norm", norm),
            *views,
        ),
        ("encoding_date", "date, learned", ("model.args.encoding", "date")),
        ("band_token", "band tokens", ("model.args.band_token", True)),
        ("change", "the change as a channel", ("model.args.change", change)),
        ("drop_bands", "bands dropped", ("augment.drop_bands", 0.2)),
        ("gap", "times dropped", ("augment.gap", 0.5)),
        ("averaged", "averaged weights", ("method.args.average_decay", 0.99)),
    ):
        base.add_system(table, key, name, config, *changes)
    head = {"photometric": (), "confirmed": (("optimizer.train_only", ("head",)),)}
    base.add_system(table, "head_only", "second stage: head only", config, stages=head)
    both = sum(base.steps_of(table).values())
    once = {"all": (("num_steps", both),)}
    base.add_system(table, "one_stage", "one stage, all labels", config, stages=once)
    # No label reaches the network; a probe's score picks the state.
    natural = ("loader.unlabelled_share", 0.2), ("loader.balance", False)
    without = {"pretrain": (*natural, ("num_steps", both))}
    for key, name in (("byol", "BYOL"), ("masked_frames", "masked frames")):
        name, stages = f"first without labels: {name}", dict.fromkeys(table.stages, ())
        base.add_system(table, key, name, config, stages=without | stages)
        table.systems[key].config_of.pretrain = f"configs/{key}.py"
    base.add_system(table, "best", "best of ours", "configs/best.py")
    longer = {s: (("num_steps", 3 * n),) for s, n in base.steps_of(table).items()}
    flat = (("model.args.downsize", "2d"),)
    for key, name, file, changes in (
        ("best_long", "best of ours", "configs/best.py", ()),
        ("convention_long", "ConvEntion, ugriz", config, ()),
        ("convention_2d_long", "2D CNN", config, flat),
    ):
        name = f"{name}, three times the steps"
        base.add_system(table, key, name, file, *changes, stages=longer)
    # As many steps as take it the time of a ConvEntion's.
    times = {s: (("num_steps", 10 * n),) for s, n in base.steps_of(table).items()}
    name, config = "SuperNNova, ten times the steps", "configs/supernnova.py"
    base.on_light_curves(table, "supernnova_long", name, config, stages=times)
    base.forest(table)
    table.shown = ("convention", "best")
    return table
