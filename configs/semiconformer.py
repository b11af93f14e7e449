r"""Semiconformer: ConvEntion trained with labels and an EMA target network.

Reproduces: Bairouk 2023, thesis, Table 5.1, row Semiconformer. Its stamps are not
    available; sdss_sn_sim simulates the same survey.
Run:     python -m experiments.train --config=configs/semiconformer.py \
             --workdir=runs/semiconformer
Presets: :laptop (default without an accelerator), :paper (default with one), :hits
    (real sequences), :smoke (for tests).
Expect:  docs/results/semiconformer.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    base.set_convention(config)
    config.method.name = "semiconformer"
    config.method.args.target_decay = 0.99  # thesis, Sect. 5.3.2
    config.method.args.target_statistics = "own"  # "ema", "copy": of the batch norms
    config.method.args.similarity_weight = 1.0  # of the loss without labels
    config.method.args.symmetric = True  # False: one view is input, the other target
    config.method.args.predictor = False  # True: BYOL's layers before the comparison
    config.method.args.label_smoothing = 0.0
    config.method.args.hidden = 256  # units of the projections' hidden layers
    config.method.args.project = 128  # units of their outputs, which are compared
    config.method.args.dropout = 0.3  # between the two
    config.loader.unlabelled_share = 0.2  # Unknown is 20 % of the survey
    config.optimizer.name = "adamw"
    config.optimizer.learning_rate = 2e-3  # thesis, Sect. 5.3.2, as the cosine decay
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
