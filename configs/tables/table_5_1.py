r"""Semiconformer, its backbone and the recurrent networks; ablations of Semiconformer.

Reproduces: Bairouk 2023, thesis, Table 5.1, Figs. 5.2 to 5.6. The ablations separate
    the gain of the similarity loss from that of the two views.
Run:     python -m experiments.run_table --config=configs/tables/table_5_1.py \
             --workdir=runs/tables
Expect:  docs/results/published_tables.md. About two hours on two idle cores; with
    three members per fold, six.
Presets: :laptop (default without an accelerator), :paper (default with one), :smoke
    (for tests).
"""

from configs.tables import base


def get_config(preset: str = "auto"):
    """Returns the table."""
    title = "Table 5.1: Semiconformer"
    table = base.make_table("table_5_1", title, preset)
    base.add_convention(table)
    config = "configs/semiconformer.py"
    name, found = "Semiconformer", base.percent(82.18, 75.33)
    base.add_system(table, "semiconformer", name, config, published=found)
    for key, name, *five in (
        ("cnn_gru", "CNN+GRU, ugriz", 66.39, 63.22),
        ("cnn_lstm", "CNN+LSTM, ugriz", 64.08, 60.65),
    ):
        found = base.percent(*five)
        base.add_system(table, key, name, f"configs/{key}.py", published=found)
    for key, name, change in (
        ("two_views", "two views, no similarity loss", ("similarity_weight", 0.0)),
        ("tau_0", "target is the network itself (τ = 0)", ("target_decay", 0.0)),
        ("tau_1", "constant target (τ = 1)", ("target_decay", 1.0)),
        ("one_direction", "one direction", ("symmetric", False)),
        ("predictor", "with BYOL's predictor", ("predictor", True)),
    ):
        change = (f"method.args.{change[0]}", change[1])
        base.add_system(table, f"semi_{key}", f"Semiconformer, {name}", config, change)
    some = ("loader.unlabelled_share", 0.2)
    name = "Semiconformer, a fifth of the batch unlabelled"
    base.add_system(table, "semi_unlabelled", name, config, some)
    base.add_aperture_forest(table)
    table.shown = ("convention", "semiconformer")
    table.curves = ("SNIa", "SNOther")
    return table
