r"""Accuracy as observations go missing, for four encodings of time.

Reproduces: Bairouk 2023, thesis, Fig. 4.8. Epochs of the tested objects are removed at
    random; training is unchanged.
Run:     python -m experiments.run_table --config=configs/tables/figure_4_8.py \
             --workdir=runs/tables
Expect:  docs/results/published_tables.md. About 30 minutes on two idle cores; with
    three members per fold, an hour and a half.
Presets: :laptop (default without an accelerator), :paper (default with one), :smoke
    (for tests).
"""

from configs.tables import base


def get_config(preset: str = "auto"):
    """Returns the table."""
    title = "Figure 4.8: missing observations"
    table = base.make_table("figure_4_8", title, preset)
    base.add_convention(table)  # with a positional encoding
    for key, name in (
        ("mjd", "fixed encoding of the date (MJD)"),
        ("none", "no encoding"),
        ("date", "learned encoding of the date"),
    ):
        change = ("model.args.encoding", key)
        base.add_system(table, f"encoding_{key}", name, "configs/convention.py", change)
    table.missing = (0.2, 0.4, 0.6, 0.8, 0.9)
    return table
