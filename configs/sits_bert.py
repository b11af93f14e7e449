r"""SITS-BERT: a transformer on the nights of a light curve.

Reproduces: the row SITS-BERT of Bairouk et al. 2023, A&A 673, A141, Table 4, with the
    network of Yuan & Lin 2021, IEEE JSTARS 14, 474.
Run:     python -m experiments.train --config=configs/sits_bert.py \
             --workdir=runs/sits_bert
Presets: :laptop (default without an accelerator), half the width; :paper (default with
    one); :hits (light curves measured on real images of one band); :smoke (for tests).
Expect:  docs/results/published_tables.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "sits_bert"
    args = config.model.args
    args.width = 128 if preset == "paper" else 64  # half for fluxes, half for the day
    args.num_blocks, args.num_heads = 3, 8
    args.bands = 5  # of the survey
    args.longest = 0.33  # days from a night's first epoch to its last
    args.dropout = 0.1
    base.set_supervised(config)
    base.set_light_curves(config)
    return config
