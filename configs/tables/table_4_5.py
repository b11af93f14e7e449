r"""Three classes: the two kinds of supernovae are one class.

Reproduces: Bairouk 2023, thesis, Table 4.5 and Fig. 4.7.
Run:     python -m experiments.run_table --config=configs/tables/table_4_5.py \
             --workdir=runs/tables
Expect:  docs/results/published_tables.md. About 20 minutes on two idle cores; with
    three members per fold, an hour.
Presets: :laptop (default without an accelerator), :paper (default with one), :smoke
    (for tests).
"""

from configs.tables import base

CLASSES = ("AGN", "SNIa+SNOther", "Variable")


def get_config(preset: str = "auto"):
    """Returns the table."""
    title = "Table 4.5: three classes"
    table = base.make_table("table_4_5", title, preset)
    table.changes += (("classes", CLASSES),)
    table.reference = "convention_3"
    for key, name, found, in_g in (
        ("convention", "ConvEntion, ugriz", (83.90, 75.77), False),
        ("convention", "ConvEntion, g", (79.47, 72.38), True),
        ("cnn_gru", "CNN+GRU, g", (74.84, 68.95), True),
        ("cnn_lstm", "CNN+LSTM, g", (73.94, 67.29), True),
    ):
        config, published = f"configs/{key}.py", base.percent(*found)
        changes = base.g_band_changes(key, preset) if in_g else ()
        key = f"{key}_3_g" if in_g else f"{key}_3"
        base.add_system(table, key, name, config, *changes, published=published)
    curves = {"name": "features", "add": base.add_light_curve_system}
    base.add_feature_systems(table, "configs/lstm.py", key="features_3", **curves)
    table.shown = ("convention_3", "cnn_gru_3_g")
    return table
