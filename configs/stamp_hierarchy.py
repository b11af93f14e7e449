r"""The first alert at every level of a hierarchy: supernova, core collapse, type II.

Reproduces: nothing. The network of configs/stamp_classifier.py predicts all kinds of
    simulated alerts; probabilities of higher levels are sums. Therefore kinds are
    sampled as often as they occur and the loss has no entropy term: sampled equally,
    four kinds of variable stars would be four times as probable as AGN. Kinds with
    fewer training objects than config.selection.min_class_size are pooled: in :laptop
    SNIbc, of which there are 60, with SNII.
Run:     python -m experiments.train --config=configs/stamp_hierarchy.py \
             --workdir=runs/stamp_hierarchy
Presets: :laptop (default without an accelerator), a network of half the width; :paper
    (default with one), the published size on ten times the objects; :smoke (for tests).
    No :hits: its stamps come without a template and a difference.
Expect:  docs/results/hierarchy.md, with times and machine.
"""

from configs import base, stamp_classifier


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = stamp_classifier.get_config(preset)
    config.classes = base.ALERT_KINDS
    config.loader.balance, config.method.args.entropy_weight = False, 0.0
    config.selection.min_class_size = 1 if preset == "smoke" else 80
    return config
