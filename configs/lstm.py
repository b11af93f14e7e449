r"""LSTM on light curves of all bands.

Reproduces: the row LSTM of Bairouk et al. 2023, A&A 673, A141, Table 4, as far as
    possible: the input and the size of its network are known, 60 thousand parameters.
Run:     python -m experiments.train --config=configs/lstm.py --workdir=runs/lstm
Presets: :laptop (default without an accelerator), :paper (default with one), :hits
    (light curves measured on real images of one band), :smoke (for tests). The network
    has the same width in all.
Expect:  docs/results/published_tables.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "lstm"
    args = config.model.args
    args.hidden, args.num_layers = 32, 3  # units of a layer in each direction
    args.bands = 5  # of the survey
    args.longest = 0.33  # days from a night's first epoch to its last
    args.errors = False  # True: errors of the fluxes are inputs as well
    args.encoding = "none"  # "gaps": days between nights are inputs as well
    args.features = False  # True: numbers of the catalogue are inputs as well
    args.dtype = "float32"  # "bfloat16": half the memory, faster on accelerators
    base.set_supervised(config)
    base.set_light_curves(config)
    if preset == "hits":
        args.encoding = "gaps"  # as nights are unevenly spaced
    return config
