r"""Semiconformer: ConvEntion trained with labels and an EMA target network at once.

Reproduces: Bairouk 2023, thesis, Table 5.1, row Semiconformer. Their stamps cannot be
    had; ours are sdss_sn_sim, simulated after the same survey.
Run:     python -m experiments.train --config=configs/semiconformer.py \
             --workdir=runs/semiconformer
Presets: :laptop (chosen without an accelerator), :paper, :hits (real data), :smoke.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    base.convention(config)
    config.method.name = "semiconformer"
    config.method.args.target_decay = 0.99  # thesis, Sect. 5.3.2
    config.method.args.target_statistics = "own"  # "ema", "copy": of the batch norms
    config.method.args.similarity_weight = 1.0  # of the term that needs no label
    config.method.args.symmetric = True  # False: one view learns, the other is target
    config.method.args.predictor = False  # True: as BYOL, layers before the comparison
    config.method.args.label_smoothing = 0.0
    config.method.args.hidden = 256  # units of the projections' hidden layers
    config.method.args.project = 128  # and of what is compared
    config.method.args.dropout = 0.3  # between the two
    config.loader.unlabelled_share = 0.2  # Unknown is 20 % of the survey
    config.optimizer.name = "adamw"
    config.optimizer.learning_rate = 2e-3  # thesis, Sect. 5.3.2, as the cosine decay
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
