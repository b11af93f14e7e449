r"""LSTM on light curves of all bands.

Reproduces: the row LSTM of Bairouk et al. 2023, A&A 673, A141, Table 4, as far as it
    can be: of the network its input and its size are known, 60 thousand parameters.
Run:     python -m experiments.train --config=configs/lstm.py --workdir=runs/lstm
Presets: :laptop (chosen without an accelerator), :paper, :hits (light curves measured
    on real images of one band), :smoke. The network has the same width in all.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    config.model.name = "lstm"
    args = config.model.args
    args.hidden, args.num_layers = 32, 3  # units of a layer in each direction
    args.bands = 5  # of the survey
    args.longest = 0.33  # days from a night's first epoch to its last
    args.errors = False  # True: the network is told the errors as well
    args.encoding = "none"  # "gaps": and the days between nights
    args.features = False  # True: and the numbers of the catalogue
    args.dtype = "float32"  # "bfloat16": half the memory, faster on accelerators
    base.supervised(config)
    base.light_curves(config)
    if preset == "hits":
        args.encoding = "gaps"  # nights are uneven
    return config
