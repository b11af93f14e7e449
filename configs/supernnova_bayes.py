r"""SuperNNova with uncertain weights: Bayes by backprop.

Reproduces: the row SuperNNova-Bayes of Bairouk et al. 2023, A&A 673, A141, Table 4,
    with the network of Moller & de Boissiere 2020, MNRAS 491, 4277.
Run:     python -m experiments.train --config=configs/supernnova_bayes.py \
             --workdir=runs/supernnova_bayes
Presets: :laptop (default without an accelerator), :paper (default with one), :hits
    (light curves measured on real images of one band), :smoke (for tests). The network
    has the same width in all.
Expect:  docs/results/predictive_uncertainty.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    base.set_supervised(config)
    base.set_supernnova(config)
    config.model.args.form = "bayes"
    num_objects = 40 if preset == "smoke" else 4900  # training objects, about
    config.method.args.divergence_weight = 1 / num_objects
    if preset not in ("paper", "smoke"):
        # With 1 / number of objects, a thousand objects do not move 40,000 weights from
        # their prior. This weight corresponds to a hundred times as many objects.
        config.method.args.divergence_weight = 1e-5
    if preset in ("auto", "laptop"):
        # With less, spreads stay at their initial values.
        config.optimizer.learning_rate = 1e-2
    return config
