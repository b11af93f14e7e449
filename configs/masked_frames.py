r"""Masked frames: ConvEntion's encoder, trained to tell frames that it does not see.

Reproduces: the idea of He et al. 2022, arXiv 2111.06377, on series, not a table of
    theirs. Its scores are those of a linear probe, whose gradient ends before the
    encoder. A run of configs/convention.py starts from it:
        --config.init_from=runs/masked_frames
Run:     python -m experiments.train --config=configs/masked_frames.py \
             --workdir=runs/masked_frames
Presets: :laptop (chosen without an accelerator), :paper, :hits (real data), :smoke.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    base.convention(config)
    config.method.name = "masked_frames"
    config.method.args.share = 0.25  # of the epochs of a view, hidden
    config.method.args.pixels = 8  # of a frame as it is told, along each side
    config.method.args.pool = 2  # pixels of the image in one of those
    config.method.args.hidden = 256  # units of the decoder's two layers
    config.loader.unlabelled_share = 0.2  # Unknown is 20 % of the survey
    config.optimizer.name = "adamw"
    config.optimizer.learning_rate = 2e-3
    config.optimizer.weight_decay = 1e-4
    if preset in ("auto", "laptop"):
        base.laptop(config)
    elif preset == "paper":
        base.paper(config)
    elif preset == "hits":
        base.hits(config)
        config.loader.unlabelled_share = 0.0  # every object has a label
    elif preset == "smoke":
        base.smoke(config)
    return config
