r"""Ten types of the ZTF catalogue of variable stars, by curves drawn from its numbers.

Reproduces: Carraro, thesis on variable stars of ZTF: its CNN-LSTM on ten types, 66.27 %
    (accuracy) of 1,000 stars each. The types were made from period, amplitude and
    Fourier numbers, so a score measures how well rules are recovered: curves drawn from
    two of the three, and then all of them told, stand apart.
Run:     python -m experiments.run_table --config=configs/tables/ztf_periodic.py \
             --manual_dir=FOLDER --workdir=runs/tables
Takes:   see docs/results.
Presets: :laptop (chosen without an accelerator), :paper, :smoke.
"""

from configs.base import ZTF_TYPES
from configs.tables import base


def get_config(preset: str = "auto"):
    """Returns the table."""
    title = "ZTF: ten types of periodic variables"
    table = base.make_table("ztf_periodic", title, preset)
    add_rows(table, ZTF_TYPES, "ten", {"accuracy": 66.27})
    return table


def add_rows(table, classes: tuple[str, ...], many: str, published: dict) -> None:
    """Adds all systems, on all stars and on those that are well observed."""
    table.stages, table.seeds = ("all",), (0,)
    table.reference = f"folded_{many}"
    table.changes = (
        *(("classes", classes), ("selection.bands", ("r",))),
        ("representation.normalisation", "harmonic"),
    )
    if table.preset == "smoke":
        table.changes += (("num_steps", 2), ("optimizer.warmup_steps", 0))
    elif table.preset != "paper":
        table.changes += (("num_steps", 1500), ("batch_size", 128))
    told = (("model.args.features", True),)
    name = "CNN-LSTM on drawn curves"
    for key, words, survey, changes, found in (
        ("", "", "all", (), published),
        ("_told", ", told the catalogue's numbers", "all", told, {}),
        ("_clean", ", the well observed as they come", "clean", (), {}),
    ):
        base.add_system(
            *(table, f"folded_{many}{key}", f"{name}{words}"),
            *("configs/cnn_lstm_folded.py", ("survey", f"ztf_periodic/{survey}")),
            *changes,
            published=found,
        )
    both = ("survey", "ztf_periodic/all"), ("selection.bands", ())  # bands: colours
    seen = {"features": ("catalogue",), "key": f"catalogue_{many}"}
    seen["name"] = "the catalogue's numbers"
    base.on_features(table, "configs/cnn_lstm_folded.py", *both, **seen)
    table.shown = (f"folded_{many}", f"folded_{many}_told")
