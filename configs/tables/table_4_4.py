r"""Four classes: systems on image sequences, and on light curves of the same objects.

Reproduces: Bairouk 2023, thesis, Table 4.4, and Fig. 4.6. Further rows: the recurrent
    networks with one band per frame, and SITS-BERT with the pre-training of its paper.
Run:     python -m experiments.run_table --config=configs/tables/table_4_4.py \
             --workdir=runs/tables
Expect:  docs/results/published_tables.md. About an hour on two idle cores; with three
    members per fold, three hours.
Presets: :laptop (default without an accelerator), :paper (default with one), :smoke
    (for tests).
"""

from configs.tables import base


def get_config(preset: str = "auto"):
    """Returns the table."""
    title = "Table 4.4: four classes"
    table = base.make_table("table_4_4", title, preset)
    base.add_convention(table)
    for key, name, five, one in (
        ("convention", "ConvEntion", (), (76.89, 63.20)),
        ("cnn_gru", "CNN+GRU", (66.39, 63.22), (63.67, 61.00)),
        ("cnn_lstm", "CNN+LSTM", (64.08, 60.65), (63.00, 60.00)),
    ):
        config = f"configs/{key}.py"
        if five:
            found = base.percent(*five)
            base.add_system(table, key, f"{name}, ugriz", config, published=found)
            frames = ("model.args.frames", "embedded")
            many = f"{name}, ugriz, one band per frame"
            base.add_system(table, f"{key}_embedded", many, config, frames)
        changes, found = base.g_band_changes(key, preset), base.percent(*one)
        name = f"{name}, g"
        base.add_system(table, f"{key}_g", name, config, *changes, published=found)
    for key, name, found in (
        ("sits_bert", "SITS-BERT", (67.43, 51.60)),
        ("supernnova_bayes", "SuperNNova, Bayesian", (65.54, 55.40)),
        ("supernnova", "SuperNNova", (56.30, 42.60)),
        ("lstm", "LSTM", (55.24, 40.33)),
    ):
        config, found = f"configs/{key}.py", base.percent(*found)
        base.add_light_curve_system(table, key, name, config, published=found)
    # Its first stage uses no label; a linear probe's score selects the state.
    natural = ("loader.unlabelled_share", 0.2), ("loader.balance", False)
    steps = sum(base.steps_of(table).values())
    first = {"pretrain": (*natural, ("num_steps", steps))}
    stages, name = dict.fromkeys(table.stages, ()), "SITS-BERT, pre-trained"
    key, config = "sits_bert_pretrained", "configs/sits_bert.py"
    base.add_light_curve_system(table, key, name, config, stages=first | stages)
    table.systems[key].config_of.pretrain = "configs/sits_bert_pretrain.py"
    heat_maps = {"survey": "heat_maps/light_curves.sdss_sn_sim"}
    config, found = "configs/scone.py", base.percent(62.57, 50.43)
    base.add_light_curve_system(
        table, "scone", "SCONE", config, **heat_maps, published=found
    )
    base.add_aperture_forest(table)
    curves = {"name": "features", "add": base.add_light_curve_system}
    base.add_feature_systems(table, "configs/lstm.py", **curves)
    # A control without any change in time.
    base.add_feature_systems(
        table,
        "configs/lstm.py",
        features=("steady",),
        key="steady",
        name="median brightness and colour",
        kinds=("forest",),
        add=base.add_light_curve_system,
    )
    table.shown = ("convention", "cnn_gru")
    table.curves = ("SNIa", "SNOther")
    return table
