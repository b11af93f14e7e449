r"""BYOL: ConvEntion's encoder, trained on two views of each object and no label.

Reproduces: the method of Grill et al. 2020, arXiv 2006.07733, on series, not a table of
    theirs. Its scores are those of a linear probe, whose gradient ends before the
    encoder. A run of configs/convention.py starts from it:
        --config.init_from=runs/byol
Run:     python -m experiments.train --config=configs/byol.py --workdir=runs/byol
Presets: :laptop (chosen without an accelerator), :paper, :hits (real data), :smoke.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    base.convention(config)
    config.method.name = "byol"
    config.method.args.target_decay = 0.99  # at first; published for 300 passes
    config.method.args.decay_steps = config.get_ref("num_steps")  # it rises to 1; 0: no
    config.method.args.hidden = 256  # units of projector and predictor
    config.method.args.project = 128  # and of what is compared
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
