r"""SuperNNova: a recurrent network on the nights of a light curve.

Reproduces: the row SuperNNova of Bairouk et al. 2023, A&A 673, A141, Table 4, on the
    network of Moller & de Boissiere 2020, MNRAS 491, 4277. Set
        --config.model.args.form=variational
    for the one whose dropout stays when it predicts.
Run:     python -m experiments.train --config=configs/supernnova.py \
             --workdir=runs/supernnova
Presets: :laptop (chosen without an accelerator), :paper, :hits (light curves measured
    on real images of one band), :smoke. The network has the same width in all.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    base.supervised(config)
    base.supernnova(config)
    return config
