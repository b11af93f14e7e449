r"""Real sequences: HiTS, three classes in g, folds by field, beside the forest.

Reproduces: nothing; the theses have no such table. 189 objects in 33 fields.
Run:     python -m experiments.run_table --config=configs/tables/hits.py \
             --manual_dir=FOLDER --workdir=runs/tables
Takes:   about 35 minutes on two idle cores; of three members, an hour and three
    quarters.
Presets: :laptop and :paper are the same here; :smoke.
"""

from configs.tables import base


def get_config(preset: str = "auto"):
    """Returns the table."""
    table = base.make_table("hits", "HiTS: real sequences", preset)
    table.reference = "forest_hits"
    table.changes, table.stages = (), ("all",)
    if preset == "smoke":
        table.changes = (("num_steps", 2), ("optimizer.warmup_steps", 0))
    base.forest(table, key="forest_hits", config="configs/convention.py:hits")
    curves = {"key": "features_hits", "features": ("shape", "period")}
    base.on_features(table, "configs/lstm.py:hits", **curves)
    for key, name in (
        ("convention", "ConvEntion"),
        ("semiconformer", "Semiconformer"),
        ("cnn_gru", "CNN+GRU"),
        ("cnn_lstm", "CNN+LSTM"),
        ("best", "best of ours"),
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
