r"""ZTF: five classes of the catalogue of periodic variables.

Reproduces: Carraro, thesis on variable stars of ZTF: its CNN-LSTM on Cepheids, Delta
    Scuti, detached binaries, RR Lyrae and long periods, 74.28 % (accuracy) of 1,000
    stars of each. What its score measures: configs/tables/ztf_periodic.py.
Run:     python -m experiments.run_table --config=configs/tables/ztf_periodic_five.py \
             --manual_dir=FOLDER --workdir=runs/tables
Expect:  docs/results/ztf_periodic.md.
Presets: :laptop (default without an accelerator), :paper (default with one), :smoke
    (for tests).
"""

from configs.tables import base
from configs.tables.ztf_periodic import add_rows

CLASSES = ("CEP+CEPII", "DSCT", "EA", "RR", "Mira+SR")


def get_config(preset: str = "auto"):
    """Returns the table."""
    title = "ZTF: five classes of periodic variables"
    table = base.make_table("ztf_periodic_five", title, preset)
    add_rows(table, CLASSES, "five", {"accuracy": 74.28})
    return table
