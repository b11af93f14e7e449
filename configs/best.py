r"""Our own: a token for every frame, of its light, what is new in it, and when.

Reproduces: nothing. It aims to be above every row of the published tables' systems, on
    the same objects and folds; configs/tables/beyond.py measures whether it is (it is
    on the simulated survey, docs/results).
Run:     python -m experiments.train --config=configs/best.py --workdir=runs/best
Presets: :laptop (chosen without an accelerator), :paper, :hits (real data), :smoke.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    config.model.name = "frame_transformer"
    args = config.model.args
    args.widths = (16, 32, 64)  # of the convolutions; each halves a frame
    args.width = 64  # of a token
    args.num_blocks = 2  # of attention
    args.num_heads = 4
    args.hidden = 128  # units of the classifier's hidden layer
    args.dropout = 0.1  # before and after it
    args.change = "asinh"  # what the images are; "linear" if they are no asinh
    args.core = 16  # pixels on a side of both views of a frame
    args.apertures = (1.0, 2.0, 4.0)  # pixels, deviations of the Gaussians that gather
    args.band_rows = 10  # most bands, and one for padding
    base.supervised(config)
    config.method.args.label_smoothing = 0.1  # a tenth of photometric labels is wrong
    config.method.args.average_decay = 0.98  # a mean of the networks predicts
    config.optimizer.name = "adamw"
    config.optimizer.learning_rate = 2e-3
    config.optimizer.weight_decay = 1e-2
    config.optimizer.warmup_steps = 30
    config.augment.max_epochs = 48
    if preset == "paper":
        base.paper(config)
        config.representation.normalisation = "asinh"
        args.widths, args.width, args.num_blocks = (32, 64, 128), 128, 4
    elif preset == "hits":
        base.hits_run(config)
        args.change = "linear"
    elif preset == "smoke":
        base.smoke_run(config)
        args.widths, args.width, args.num_heads = (4, 4, 4), 8, 2
    return config
