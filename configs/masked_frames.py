r"""Masked frames: pre-trains ConvEntion's encoder to predict hidden frames.

Reproduces: the idea of He et al. 2022, arXiv 2111.06377, on series; none of its tables.
    Scores are those of a linear probe, whose gradient does not reach the encoder. A run
    of configs/convention.py starts from it with
        --config.init_from=runs/masked_frames
Run:     python -m experiments.train --config=configs/masked_frames.py \
             --workdir=runs/masked_frames
Presets: :laptop (default without an accelerator), :paper (default with one), :hits
    (real sequences), :smoke (for tests).
Expect:  docs/results/published_tables.md, row masked frames, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    base.set_convention(config)
    config.method.name = "masked_frames"
    config.method.args.share = 0.25  # of the epochs of a view that is hidden
    config.method.args.pixels = 8  # of a predicted frame, on a side
    config.method.args.pool = 2  # pixels of the image in one of these, on a side
    config.method.args.hidden = 256  # units of the decoder's two layers
    config.loader.unlabelled_share = 0.2  # Unknown is 20 % of the survey
    config.optimizer.name = "adamw"
    config.optimizer.learning_rate = 2e-3
    config.optimizer.weight_decay = 1e-4
    if preset in ("auto", "laptop"):
        base.set_laptop(config)
    elif preset == "paper":
        base.set_paper(config)
    elif preset == "hits":
        base.set_hits(config)
        config.loader.unlabelled_share = 0.0  # every object has a label
    elif preset == "smoke":
        base.set_smoke(config)
    return config
