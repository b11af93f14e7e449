r"""SuperNNova with uncertain weights: Bayes by backprop.

Reproduces: the row SuperNNova-Bayes of Bairouk et al. 2023, A&A 673, A141, Table 4, on
    the network of Moller & de Boissiere 2020, MNRAS 491, 4277.
Run:     python -m experiments.train --config=configs/supernnova_bayes.py \
             --workdir=runs/supernnova_bayes
Presets: :laptop (chosen without an accelerator), :paper, :hits (light curves measured
    on real images of one band), :smoke. The network has the same width in all.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    base.supervised(config)
    base.supernnova(config)
    config.model.args.form = "bayes"
    num_objects = 40 if preset == "smoke" else 4900  # that train, about
    config.method.args.divergence_weight = 1 / num_objects
    if preset not in ("paper", "smoke"):
        # At 1 / number a thousand objects could not move 40,000 weights from their
        # prior. This is the posterior of a hundred times as many, all alike.
        config.method.args.divergence_weight = 1e-5
    if preset in ("auto", "laptop"):
        config.optimizer.learning_rate = 1e-2  # or spreads stay where they start
    return config
