r"""Semiconformer: ConvEntion trained with labels and an EMA target network at once.

Reproduces: Bairouk 2023, thesis, Table 5.1, row Semiconformer. Their stamps cannot be
    had; ours are sdss_sn_sim, simulated after the same survey.
Run:     python -m experiments.train --config=configs/semiconformer.py \
             --workdir=runs/semiconformer
Presets: :laptop (chosen without an accelerator), :paper, :hits (real data), :smoke.
Expect:  see docs/results.md, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    config.method.name = "semiconformer"
    config.method.args.target_decay = 0.99  # thesis, Sect. 5.3.2
    config.method.args.similarity_weight = 1.0
    config.data.unlabelled_share = 0.2  # Unknown is 20 % of the survey
    config.optimizer.name = "adamw"
    config.optimizer.learning_rate = 2e-3  # thesis, Sect. 5.3.2, as the cosine decay
    config.optimizer.weight_decay = 1e-4
    if preset in ("auto", "laptop"):
        base.laptop(config)
    elif preset == "paper":
        base.paper(config)
    elif preset == "hits":
        base.hits(config)
        config.data.unlabelled_share = 0.0  # every object has a label
    elif preset == "smoke":
        base.smoke(config)
    return config
