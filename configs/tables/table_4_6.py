r"""Ablations of ConvEntion: one part left out at a time.

Reproduces: Bairouk 2023, thesis, Table 4.6. A further row: attention that depends on
    the query (additive), which the published attention does not.
Run:     python -m experiments.run_table --config=configs/tables/table_4_6.py \
             --workdir=runs/tables
Expect:  docs/results/published_tables.md. About 45 minutes on two idle cores; with
    three members per fold, two hours.
Presets: :laptop (default without an accelerator), :paper (default with one), :smoke
    (for tests).
"""

from configs.tables import base


def get_config(preset: str = "auto"):
    """Returns the table."""
    title = "Table 4.6: ablations of ConvEntion"
    table = base.make_table("table_4_6", title, preset)
    base.add_convention(table)
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
            "attention that depends on the query",
            ("model.args.score", "additive"),
            None,
        ),
    ):
        published = base.percent(*found) if found else None
        config = "configs/convention.py"
        base.add_system(table, key, name, config, change, published=published)
    return table
