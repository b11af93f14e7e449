r"""BYOL: pre-trains ConvEntion's encoder on two views of each object, without labels.

Reproduces: the method of Grill et al. 2020, arXiv 2006.07733, on series; none of its
    tables. Scores are those of a linear probe, whose gradient does not reach the
    encoder. A run of configs/convention.py starts from it with
        --config.init_from=runs/byol
Run:     python -m experiments.train --config=configs/byol.py --workdir=runs/byol
Presets: :laptop (default without an accelerator), :paper (default with one), :hits
    (real sequences), :smoke (for tests).
Expect:  docs/results/published_tables.md, row BYOL, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    base.set_convention(config)
    config.method.name = "byol"
    config.method.args.target_decay = 0.99  # initial value; published for 300 passes
    config.method.args.decay_steps = config.get_ref("num_steps")  # 0: constant
    config.method.args.hidden = 256  # units of projector and predictor
    config.method.args.project = 128  # units of their outputs, which are compared
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
