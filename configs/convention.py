r"""ConvEntion, trained on labels alone.

Reproduces: Bairouk et al. 2023, A&A 673, A141, Table 4, row ConvEntion, ugriz. Their
    stamps cannot be had; ours are sdss_sn_sim, simulated after the same survey.
Run:     python -m experiments.train --config=configs/convention.py \
             --workdir=runs/convention
Presets: :laptop (chosen without an accelerator), :paper, :hits (real data), :smoke.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    base.convention(config)
    base.supervised(config)
    config.optimizer.learning_rate = 1e-3  # as published
    if preset in ("auto", "laptop"):
        base.laptop(config)
    elif preset == "paper":
        base.paper(config)
    elif preset == "hits":
        base.hits(config)
    elif preset == "smoke":
        base.smoke(config)
    return config
