r"""Transformer over frames: flux, change since the mean frame, band and time.

Reproduces: nothing. It was designed to score above the published networks on the same
    objects and folds, which configs/tables/beyond.py measures.
Run:     python -m experiments.train --config=configs/best.py --workdir=runs/best
Presets: :laptop (default without an accelerator), :paper (default with one), :hits
    (real sequences), :smoke (for tests).
Expect:  docs/results/published_tables.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "frame_transformer"
    args = config.model.args
    args.widths = (16, 32, 64)  # of the convolutions; each halves a frame
    args.width = 64  # of a token
    args.num_blocks = 2  # of attention
    args.num_heads = 4
    args.hidden = 128  # units of the classifier's hidden layer
    args.dropout = 0.1  # before and after it
    args.change = "asinh"  # the scale of the images; or "linear"
    args.core = 16  # pixels on a side of both views of a frame
    args.apertures = (1.0, 2.0, 4.0)  # pixels, deviations of Gaussian apertures
    args.band_rows = 10  # largest number of bands, and one row for padding
    base.set_supervised(config)
    config.method.args.label_smoothing = 0.1  # a tenth of photometric labels is wrong
    config.method.args.average_decay = 0.98  # predicts with averaged parameters
    config.optimizer.name = "adamw"
    config.optimizer.learning_rate = 2e-3
    config.optimizer.weight_decay = 1e-2
    config.optimizer.warmup_steps = 30
    config.augment.max_epochs = 48
    if preset == "paper":
        base.set_paper(config)
        config.representation.normalisation = "asinh"
        args.widths, args.width, args.num_blocks = (32, 64, 128), 128, 4
    elif preset == "hits":
        base.set_hits_run(config)
        args.change = "linear"
    elif preset == "smoke":
        base.set_smoke_run(config)
        args.widths, args.width, args.num_heads = (4, 4, 4), 8, 2
    return config
