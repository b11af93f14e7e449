r"""ASAS: nine classes of variable stars, from light curves without and with the period.

Reproduces: nothing; the thesis on variable stars of ZTF has no such table. The period
    is measured on each light curve (data_builders/asas/asas.md), not taken from a
    catalogue. 10,975 stars, with the class frequencies of the survey; folds by star.
Run:     python -m experiments.run_table --config=configs/tables/asas.py \
             --manual_dir=FOLDER --workdir=runs/tables
Expect:  docs/results/asas.md. Building the data set first takes ten minutes
    on two cores.
Presets: :laptop (default without an accelerator), :paper (default with one), :smoke
    (for tests).
"""

from configs.base import ASAS_CLASSES
from configs.tables import base


def get_config(preset: str = "auto"):
    """Returns the table."""
    table = base.make_table("asas", "ASAS: nine classes of variable stars", preset)
    table.stages, table.seeds = ("all",), (0,)
    table.reference = "cnn_lstm_folded_asas"
    table.changes = (
        ("survey", "asas"),
        ("classes", ASAS_CLASSES),
        ("selection.bands", ()),
        ("optimizer.learning_rate", 1e-3),
        ("optimizer.warmup_steps", 50),
    )
    if preset == "smoke":
        table.changes += (("num_steps", 2), ("optimizer.warmup_steps", 0))
    epochs = 500 if preset == "paper" else 120
    sequence = (  # networks that take one epoch after the other
        ("representation.name", "light_curve"),
        ("representation.normalisation", "relative"),
        ("representation.max_epochs", epochs),
        ("loader.loaded_epochs", epochs),
        ("augment.max_epochs", epochs),
        ("model.args.bands", 1),
        ("model.args.longest", 0.0),  # keeps the variation within a night
    )
    fitted = ("representation.normalisation", "fitted")
    for key, name, steps, changes in (
        ("cnn_dmdt", "2D-CNN on dm-dt maps", 400, ()),
        ("lstm", "LSTM", 400, (*sequence, ("model.args.encoding", "gaps"))),
        ("supernnova", "SuperNNova", 400, sequence),
        ("cnn_lstm_folded", "CNN-LSTM on folded curves", 800, (fitted,)),
        ("hybrid", "folded curves and dm-dt maps", 400, ()),
    ):
        if preset in ("auto", "laptop"):
            changes += (("num_steps", steps), ("batch_size", 128))
        config = f"configs/{key}.py"
        base.add_system(table, f"{key}_asas", name, config, *changes)
        if key != "supernnova":  # which takes no numbers
            changes += (("model.args.features", True),)
            name = f"{name}, with the period"
            base.add_system(table, f"{key}_period_asas", name, config, *changes)
    for key, name, features in (
        ("features", "features of light curves", ("shape",)),
        ("period", "features of light curves, with the period", ("shape", "catalogue")),
    ):
        base.add_feature_systems(
            table, "configs/lstm.py", features=features, key=f"{key}_asas", name=name
        )
    table.shown = ("cnn_lstm_folded_asas", "cnn_dmdt_asas")
    table.curves = ("RRab", "RRc", "DeltaScuti", "EB_contact")
    return table
