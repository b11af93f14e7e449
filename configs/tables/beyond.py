r"""Variants that the theses did not try, and configs/best.py, under the same protocol.

Reproduces: nothing; ConvEntion and the forest are there for comparison.
Run:     python -m experiments.run_table --config=configs/tables/beyond.py \
             --workdir=runs/tables
Expect:  docs/results/published_tables.md. About 90 minutes on two idle cores; with
    three members per fold, four and a half hours.
Presets: :laptop (default without an accelerator), :paper (default with one), :smoke
    (for tests).
"""

from configs.tables import base


def get_config(preset: str = "auto"):
    """Returns the table."""
    table = base.make_table("beyond", "Beyond the published systems", preset)
    base.add_convention(table)
    config = "configs/convention.py"
    # The norm that the preset does not have. A joint one needs views of full length.
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
        (
            "encoding_date",
            "learned encoding of the date",
            ("model.args.encoding", "date"),
        ),
        ("band_token", "band tokens", ("model.args.band_token", True)),
        (
            "change",
            "change since the mean frame as a channel",
            ("model.args.change", change),
        ),
        ("drop_bands", "bands dropped in training", ("augment.drop_bands", 0.2)),
        ("gap", "gaps in time in training", ("augment.gap", 0.5)),
        ("averaged", "averaged weights", ("method.args.average_decay", 0.99)),
    ):
        base.add_system(table, key, name, config, *changes)
    head = {"photometric": (), "confirmed": (("optimizer.train_only", ("head",)),)}
    base.add_system(table, "head_only", "second stage: head only", config, stages=head)
    both = sum(base.steps_of(table).values())
    once = {"all": (("num_steps", both),)}
    base.add_system(table, "one_stage", "one stage, all labels", config, stages=once)
    # The network is trained without labels; a linear probe's score selects the state.
    natural = ("loader.unlabelled_share", 0.2), ("loader.balance", False)
    without = {"pretrain": (*natural, ("num_steps", both))}
    for key, name in (("byol", "BYOL"), ("masked_frames", "masked frames")):
        name, stages = (
            f"pre-trained without labels: {name}",
            dict.fromkeys(table.stages, ()),
        )
        base.add_system(table, key, name, config, stages=without | stages)
        table.systems[key].config_of.pretrain = f"configs/{key}.py"
    base.add_system(table, "best", "transformer over frames", "configs/best.py")
    longer = {s: (("num_steps", 3 * n),) for s, n in base.steps_of(table).items()}
    flat = (("model.args.downsize", "2d"),)
    for key, name, file, changes in (
        ("best_long", "transformer over frames", "configs/best.py", ()),
        ("convention_long", "ConvEntion, ugriz", config, ()),
        ("convention_2d_long", "2D CNN", config, flat),
    ):
        name = f"{name}, three times the steps"
        base.add_system(table, key, name, file, *changes, stages=longer)
    # As many steps as take the time of ConvEntion's.
    times = {s: (("num_steps", 10 * n),) for s, n in base.steps_of(table).items()}
    name, config = "SuperNNova, ten times the steps", "configs/supernnova.py"
    base.add_light_curve_system(table, "supernnova_long", name, config, stages=times)
    base.add_aperture_forest(table)
    table.shown = ("convention", "best")
    return table
