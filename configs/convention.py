r"""ConvEntion, trained on labels.

Reproduces: Bairouk et al. 2023, A&A 673, A141, Table 4, row ConvEntion, ugriz. Its
    stamps are not available; sdss_sn_sim simulates the same survey.
Run:     python -m experiments.train --config=configs/convention.py \
             --workdir=runs/convention
Presets: :laptop (default without an accelerator), :paper (default with one), :hits
    (real sequences), :smoke (for tests).
Expect:  docs/results/published_tables.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    base.set_convention(config)
    base.set_supervised(config)
    config.optimizer.learning_rate = 1e-3  # as published
    if preset in ("auto", "laptop"):
        base.set_laptop(config)
    elif preset == "paper":
        base.set_paper(config)
    elif preset == "hits":
        base.set_hits(config)
    elif preset == "smoke":
        base.set_smoke(config)
    return config
