r"""Sequences of alerts: models over time, and where the encoder of stamps comes from.

Reproduces: the comparison of Neira et al. 2024, arXiv 2405.15073, of recurrent networks
    and of pre-trained encoders, frozen or not. AGN, supernovae and variable stars among
    simulated alerts, up to 20 of each object, folds by field.
Run:     python -m experiments.run_table --config=configs/tables/temporal_stamps.py \
             --workdir=runs/tables
Expect:  docs/results/alert_sequences.md. Six minutes per run on two idle cores;
    --config.folds='(0,)' runs one fold. A pre-trained encoder had as many steps of its
    own.
Presets: :laptop (default without an accelerator), :paper (default with one), :smoke
    (for tests).
"""

from configs.tables import base

OVER_TIME = ("gru", "lstm", "conv", "attention")
CLASSES = ("AGN", "SN", "VS")


def get_config(preset: str = "auto"):
    """Returns the table."""
    title = "Sequences of alerts"
    table = base.make_table("temporal_stamps", title, preset)
    table.stages, table.reference = ("all",), "temporal_gru"
    table.changes = ()
    if preset == "smoke":
        table.changes = (("num_steps", 2), ("optimizer.warmup_steps", 0))
    elif preset != "paper":
        table.changes = (("num_steps", 300), ("folds.num_validated", 300))
    config = "configs/temporal_stamps.py"
    for over_time in OVER_TIME:
        changes = ("model.args.over_time", over_time)
        name = f"all stamps and the numbers; {over_time}"
        base.add_system(table, f"temporal_{over_time}", name, config, changes)
    first = (("classes", CLASSES), ("model.args.dropout", 0.2))
    first += (("optimizer.learning_rate", 1e-3),)  # as of the others
    gru, only = ("model.args.over_time", "gru"), ("gru", "numbers", "hidden", "logits")
    for key, name, learn in (
        ("frozen", "pre-trained encoder, frozen", only),
        ("tuned", "pre-trained encoder, fine-tuned", ()),
    ):
        then = (gru, ("optimizer.train_only", learn))
        stages = {"first": first, "all": then}
        base.add_system(table, f"temporal_{key}", f"gru; {name}", config, stages=stages)
        table.systems[f"temporal_{key}"].config_of.first = "configs/stamp_classifier.py"
    for key, name, change in (
        ("stamps", "all stamps", ("model.args.features", False)),
        ("numbers", "the numbers", ("model.args.stamps", ())),
    ):
        base.add_system(table, f"temporal_{key}", f"gru; {name}", config, gru, change)
    name, config = "the first alert", "configs/stamp_classifier.py"
    base.add_system(table, "first_alert", name, config, *first)
    table.shown = ("temporal_gru", "first_alert")
    table.curves = ("SN", "AGN")
    return table
