r"""Visit transformer on light curves of all bands, without images.

Reproduces: nothing. It shows what the images add to configs/visit_transformer.py.
Run:     python -m experiments.train \
             --config=configs/visit_transformer_of_light_curves.py \
             --workdir=runs/visit_transformer_of_light_curves
Presets: :laptop (default without an accelerator), :paper (default with one), :hits
    (light curves measured on real images of one band), :smoke (for tests).
Expect:  docs/results/visit_transformer.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "visit_transformer_of_light_curves"
    args = config.model.args
    args.width = 64  # of a token
    args.num_blocks = 2  # of attention
    args.num_heads = 4
    args.hidden = 128  # units of the classifier's hidden layer
    args.dropout = 0.3  # before and after it
    args.change = "asinh"  # the scale of the fluxes; or "linear"
    args.causal = False  # True: no visit is compared with later ones
    args.longest = 0.33  # days from a visit's first epoch to its last
    args.num_visits = 32  # of an object; of more, evenly spaced ones are used
    base.set_supervised(config)
    base.set_light_curves(config)
    base.set_visits(config)
    if preset == "hits":
        args.change = "linear"
        args.longest = 0.0  # keeps the variation within a night
    elif preset == "smoke":
        args.width, args.num_heads = 8, 2
    return config
