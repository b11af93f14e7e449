r"""Four classes: systems on image sequences, and on light curves of the same objects.

Reproduces: Bairouk 2023, thesis, Table 4.4, and Fig. 4.6. The same
    systems with each band a frame of its own stand below them, and SITS-BERT with the
    pre-training of its own paper.
Run:     python -m experiments.run_table --config=configs/tables/table_4_4.py \
             --workdir=runs/tables
Takes:   about an hour on two idle cores; of three members, three hours.
Presets: :laptop (chosen without an accelerator), :paper, :smoke.
"""

from configs.tables import base


def get_config(preset: str = "auto"):
    """Returns the table."""
    title = "Table 4.4: four classes"
    table = base.make_table("table_4_4", title, preset)
    base.convention(table)
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
            many = f"{name}, ugriz, a band a frame"
            base.add_system(table, f"{key}_embedded", many, config, frames)
        changes, found = base.in_g(key, preset), base.percent(*one)
        name = f"{name}, g"
        base.add_system(table, f"{key}_g", name, config, *changes, published=found)
    for key, name, found in (
        ("sits_bert", "SITS-BERT", (67.43, 51.60)),
        ("supernnova_bayes", "SuperNNova, Bayesian", (65.54, 55.40)),
        ("supernnova", "SuperNNova", (56.30, 42.60)),
        ("lstm", "LSTM", (55.24, 40.33)),
    ):
        config, found = f"configs/{key}.py", base.percent(*found)
        base.on_light_curves(table, key, name, config, published=found)
    # No label reaches its network in the first stage; a probe's score picks the state.
    natural = ("loader.unlabelled_share", 0.2), ("loader.balance", False)
    steps = sum(base.steps_of(table).values())
    first = {"pretrain": (*natural, ("num_steps", steps))}
    stages, name = dict.fromkeys(table.stages, ()), "SITS-BERT, pre-trained"
    key, config = "sits_bert_pretrained", "configs/sits_bert.py"
    base.on_light_curves(table, key, name, config, stages=first | stages)
    table.systems[key].config_of.pretrain = "configs/sits_bert_pretrain.py"
    heat_maps = {"survey": "heat_maps/light_curves.sdss_sn_sim"}
    config, found = "configs/scone.py", base.percent(62.57, 50.43)
    base.on_light_curves(table, "scone", "SCONE", config, **heat_maps, published=found)
    base.forest(table)
    curves = {"name": "features", "add": base.on_light_curves}
    base.on_features(table, "configs/lstm.py", **curves)
    # What can be told without looking at any change.
    steady = {"features": ("steady",), "key": "steady", "kinds": ("forest",)}
    steady["name"] = "brightness and colour alone"
    base.on_features(table, "configs/lstm.py", **curves | steady)
    table.shown = ("convention", "cnn_gru")
    table.curves = ("SNIa", "SNOther")
    return table
