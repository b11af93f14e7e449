r"""ZTF: ten types of the catalogue of periodic variables, from its numbers.

Reproduces: Carraro, thesis on variable stars of ZTF: its CNN-LSTM on ten types, 66.27 %
    (accuracy) of 1,000 stars of each. The types were derived from period, amplitude and
    Fourier coefficients, so a score measures how well those rules are recovered: rows
    with curves from two of the three, and rows with all numbers.
Run:     python -m experiments.run_table --config=configs/tables/ztf_periodic.py \
             --manual_dir=FOLDER --workdir=runs/tables
Expect:  docs/results/ztf_periodic.md.
Presets: :laptop (default without an accelerator), :paper (default with one), :smoke
    (for tests).
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
    """Adds all systems, on all stars and on those that are well observed.

    Args:
        many: number of classes in words, the end of the keys.
        published: scores of the CNN-LSTM.
    """
    table.stages, table.seeds = ("all",), (0,)
    table.reference = f"folded_{many}"
    table.changes = (
        ("classes", classes),
        ("selection.bands", ("r",)),
        ("representation.normalisation", "harmonic"),
    )
    if table.preset == "smoke":
        table.changes += (("num_steps", 2), ("optimizer.warmup_steps", 0))
    elif table.preset != "paper":
        table.changes += (("num_steps", 1500), ("batch_size", 128))
    config = "configs/cnn_lstm_folded.py"
    name, numbers = "CNN-LSTM on computed curves", ("model.args.features", True)
    for key, words, survey, changes, found in (
        ("", "", "all", (), published),
        ("_numbers", ", with the catalogue's numbers", "all", (numbers,), {}),
        ("_clean", ", well observed stars", "clean", (), {}),
    ):
        base.add_system(
            table,
            f"folded_{many}{key}",
            f"{name}{words}",
            config,
            ("survey", f"ztf_periodic/{survey}"),
            *changes,
            published=found,
        )
    base.add_feature_systems(
        table,
        config,
        ("survey", "ztf_periodic/all"),
        ("selection.bands", ()),  # all, for colours
        features=("catalogue",),
        key=f"catalogue_{many}",
        name="the catalogue's numbers",
    )
    table.shown = (f"folded_{many}", f"folded_{many}_numbers")
