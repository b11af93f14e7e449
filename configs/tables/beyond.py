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

CONVENTION = "configs/convention.py"


def get_config(preset: str = "auto"):
    """Returns the table."""
    table = base.make_table("beyond", "Beyond the published systems", preset)
    base.add_convention(table)
    add_variants(table)
    add_other_stages(table)
    base.add_system(table, "best", "transformer over frames", "configs/best.py")
    add_longer(table)
    add_visit_transformer(table)
    base.add_aperture_forest(table)
    base.add_feature_systems(
        table,
        "configs/convention.py",
        features=("matched",),
        key="matched",
        name="features of matched apertures",
    )
    table.shown = ("convention", "best")
    return table


def add_variants(table) -> None:
    """Adds ConvEntion with one part changed."""
    preset = table.preset
    # The norm that the preset does not have. A joint one needs views of full length.
    if preset == "paper":
        norm = ("norm_per_epoch", "per-epoch norm", ("model.args.norm", "per_epoch"))
    else:
        views = ("augment.max_epochs", 9 if preset == "smoke" else 60)
        norm = ("norm_joint", "joint norm", ("model.args.norm", "joint"), views)
    date = ("model.args.encoding", "date")
    change = ("model.args.change", "linear" if preset == "paper" else "asinh")
    for key, name, *changes in (
        norm,
        ("encoding_date", "learned encoding of the date", date),
        ("band_token", "band tokens", ("model.args.band_token", True)),
        ("change", "change since the mean frame as a channel", change),
        ("drop_bands", "bands dropped in training", ("augment.drop_bands", 0.2)),
        ("gap", "gaps in time in training", ("augment.gap", 0.5)),
        ("averaged", "averaged weights", ("method.args.average_decay", 0.99)),
    ):
        base.add_system(table, key, name, CONVENTION, *changes)


def add_other_stages(table) -> None:
    """Adds ConvEntion trained in other stages, and with pre-training."""
    head = {"photometric": (), "confirmed": (("optimizer.train_only", ("head",)),)}
    name = "second stage: head only"
    base.add_system(table, "head_only", name, CONVENTION, stages=head)
    both = sum(base.steps_of(table).values())
    once = {"all": (("num_steps", both),)}
    name = "one stage, all labels"
    base.add_system(table, "one_stage", name, CONVENTION, stages=once)
    # The network is trained without labels; a linear probe's score selects the state.
    natural = ("loader.unlabelled_share", 0.2), ("loader.balance", False)
    stages = {"pretrain": (*natural, ("num_steps", both))}
    stages |= dict.fromkeys(table.stages, ())
    for key, name in (("byol", "BYOL"), ("masked_frames", "masked frames")):
        name = f"pre-trained without labels: {name}"
        base.add_system(table, key, name, CONVENTION, stages=stages)
        table.systems[key].config_of.pretrain = f"configs/{key}.py"


def add_visit_transformer(table) -> None:
    """Adds the visit transformer, with and without simulations of the survey.

    In one stage, as forests and boosting: of all labels.
    """
    steps = {"paper": 4000, "smoke": 2}.get(table.preset, 800)
    stages, config = {"all": (("num_steps", steps),)}, "configs/visit_transformer.py"
    for key, name, changes in (
        ("visit_transformer", "transformer over visits", ()),
        ("visit_no_cnn", "the same without a CNN", (("model.args.cnn_widths", ()),)),
        ("visit_causal", "the same, causal", (("model.args.causal", True),)),
    ):
        base.add_system(table, key, name, config, *changes, stages=stages)
    if table.preset in ("auto", "laptop"):
        more = (
            ("survey", "sdss_sn_sim/with_simulations"),
            ("folds.only_training", ("simulated",)),
        )
        key, name = "visit_simulations", "transformer over visits, 12,000 simulations"
        base.add_system(table, key, name, config, *more, stages=stages)
        base.add_feature_systems(
            table,
            "configs/convention.py",
            *more,
            features=("matched",),
            key="matched_simulations",
            name="features of matched apertures, 12,000 simulations",
            kinds=("boosting",),
        )


def add_longer(table) -> None:
    """Adds systems with more steps."""
    steps = base.steps_of(table)
    longer = {stage: (("num_steps", 3 * n),) for stage, n in steps.items()}
    flat = (("model.args.downsize", "2d"),)
    for key, name, file, changes in (
        ("best_long", "transformer over frames", "configs/best.py", ()),
        ("convention_long", "ConvEntion, ugriz", CONVENTION, ()),
        ("convention_2d_long", "2D CNN", CONVENTION, flat),
    ):
        name = f"{name}, three times the steps"
        base.add_system(table, key, name, file, *changes, stages=longer)
    # As many steps as take the time of ConvEntion's.
    times = {stage: (("num_steps", 10 * n),) for stage, n in steps.items()}
    name, config = "SuperNNova, ten times the steps", "configs/supernnova.py"
    base.add_light_curve_system(table, "supernnova_long", name, config, stages=times)
