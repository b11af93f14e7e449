r"""What each part of ConvEntion brings: one left out at a time.

Reproduces: Bairouk 2023, thesis, Table 4.6. And the question it leaves open: does the
    attention that sees the query (additive) beat the published one, which cannot?
Run:     python -m experiments.run_table --config=configs/tables/table_4_6.py \
             --workdir=runs/tables
Takes:   about 45 minutes on two idle cores; of three members, two hours.
Presets: :laptop (chosen without an accelerator), :paper, :smoke.
"""

from configs.tables import base


def get_config(preset: str = "auto"):
    """Returns the table."""
    title = "Table 4.6: ablations of ConvEntion"
    table = base.make_table("table_4_6", title, preset)
    base.convention(table)
    for key, name, change, found in (
        (
            "no_oversampling",
            "no oversampling",
            ("loader.balance", False),
            (79.36, 64.23),
        ),
        (
            "no_band_embedding",
            "no band embedding",
            ("model.args.band_embedding", "none"),
            (70.74, 59.85),
        ),
        (
            "fixed_band_embedding",
            "fixed band embedding",
            ("model.args.band_embedding", "fixed"),
            (78.45, 65.73),
        ),
        ("convention_2d", "2D CNN", ("model.args.downsize", "2d"), (77.38, 62.25)),
        (
            "additive",
            "attention that sees the query",
            ("model.args.score", "additive"),
            None,
        ),
    ):
        base.add_system(
            *(table, key, name, "configs/convention.py", change),
            published=base.percent(*found) if found else None,
        )
    return table
