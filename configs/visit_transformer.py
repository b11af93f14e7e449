r"""Visit transformer: fluxes measured in the network, attention between nights.

Reproduces: nothing. It is the network to use on image time series: it was designed to
    score above gradient boosting on light-curve features of the same objects.
Run:     python -m experiments.train --config=configs/visit_transformer.py \
             --workdir=runs/visit_transformer
Presets: :laptop (default without an accelerator), :paper (default with one), :hits
    (real sequences), :smoke (for tests).
Expect:  docs/results/visit_transformer.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "visit_transformer"
    args = config.model.args
    args.apertures = (3.5, 5.0)  # pixels, deviation of seeing and aperture together
    args.width = 64  # of a token
    args.num_blocks = 2  # of attention
    args.num_heads = 4
    args.cnn_widths = (16, 32, 32)  # of the images' convolutions; (): photometry alone
    args.core = 24  # pixels on a side of the CNN's images
    args.hidden = 128  # units of the classifier's hidden layer
    args.dropout = 0.3  # before and after it
    args.change = "asinh"  # the scale of the images; or "linear"
    args.causal = False  # True: no visit is compared with later ones
    args.longest = 0.33  # days from a visit's first epoch to its last
    args.num_visits = 32  # of an object; of more, evenly spaced ones are used
    base.set_supervised(config)
    config.augment.rotation_step = 90.0  # interpolation would change the fluxes
    if preset == "paper":
        base.set_paper(config)
        config.representation.normalisation = "asinh"
        args.width, args.num_blocks = 128, 4
    elif preset == "hits":
        base.set_hits_run(config)
        args.change = "linear"
    elif preset == "smoke":
        base.set_smoke_run(config)
        args.width, args.num_heads, args.cnn_widths = 8, 2, (4, 4)
    base.set_visits(config)
    return config
