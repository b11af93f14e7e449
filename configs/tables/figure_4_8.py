r"""Accuracy as observations go missing, for three ways to tell a network when.

Reproduces: Bairouk 2023, thesis, Fig. 4.8. Epochs of the tested objects are taken away
    at random; training is as ever.
Run:     python -m experiments.run_table --config=configs/tables/figure_4_8.py \
             --workdir=runs/tables
Takes:   about 30 minutes on two idle cores; of three members, an hour and a half.
Presets: :laptop (chosen without an accelerator), :paper, :smoke.
"""

from configs.tables import base


def get_config(preset: str = "auto"):
    """Returns the table."""
    title = "Figure 4.8: missing observations"
    table = base.make_table("figure_4_8", title, preset)
    base.convention(table)  # positional
    for key, name in (
        ("mjd", "date, fixed sines (MJD)"),
        ("none", "no encoding"),
        ("date", "date, learned"),
    ):
        change = ("model.args.encoding", key)
        base.add_system(table, f"encoding_{key}", name, "configs/convention.py", change)
    table.missing = (0.2, 0.4, 0.6, 0.8, 0.9)
    return table
