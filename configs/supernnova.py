r"""SuperNNova: a recurrent network on the nights of a light curve.

Reproduces: the row SuperNNova of Bairouk et al. 2023, A&A 673, A141, Table 4, with
    the network of Moller & de Boissiere 2020, MNRAS 491, 4277. Its variant that keeps
    dropout in predictions:
        --config.model.args.form=variational
Run:     python -m experiments.train --config=configs/supernnova.py \
             --workdir=runs/supernnova
Presets: :laptop (default without an accelerator), :paper (default with one), :hits
    (light curves measured on real images of one band), :smoke (for tests). The network
    has the same width in all.
Expect:  docs/results/published_tables.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    base.set_supervised(config)
    base.set_supernnova(config)
    return config
