r"""HiTS: real sequences of three classes in g, networks and forests, folds by field.

Reproduces: nothing; the theses have no such table. 189 objects in 33 fields.
Run:     python -m experiments.run_table --config=configs/tables/hits.py \
             --manual_dir=FOLDER --workdir=runs/tables
Expect:  docs/results/hits.md. About 35 minutes on two idle cores; with three members
    per fold, an hour and three quarters.
Presets: :laptop (default without an accelerator), :paper (default with one; the same),
    :smoke (for tests).
"""

from configs.tables import base


def get_config(preset: str = "auto"):
    """Returns the table."""
    table = base.make_table("hits", "HiTS: real sequences", preset)
    table.reference = "forest_hits"
    table.changes, table.stages = (), ("all",)
    if preset == "smoke":
        table.changes = (("num_steps", 2), ("optimizer.warmup_steps", 0))
    base.add_aperture_forest(
        table, key="forest_hits", config="configs/convention.py:hits"
    )
    features = ("shape", "period")
    base.add_feature_systems(
        table, "configs/lstm.py:hits", features=features, key="features_hits"
    )
    for key, name in (
        ("convention", "ConvEntion"),
        ("semiconformer", "Semiconformer"),
        ("cnn_gru", "CNN+GRU"),
        ("cnn_lstm", "CNN+LSTM"),
        ("best", "transformer over frames"),
    ):
        base.add_system(table, f"{key}_hits", name, f"configs/{key}.py:hits")
    flat, file = ("model.args.downsize", "2d"), "configs/convention.py:hits"
    base.add_system(table, "convention_2d_hits", "2D CNN", file, flat)
    for key, name in (
        ("lstm", "LSTM"),
        ("supernnova", "SuperNNova"),
        ("sits_bert", "SITS-BERT"),
        ("cnn_dmdt", "2D-CNN on dm-dt maps"),
    ):
        file, name = f"configs/{key}.py:hits", f"{name}, light curves"
        base.add_system(table, f"{key}_hits", name, file)
    table.shown = ("convention_hits", "forest_hits")
    return table
