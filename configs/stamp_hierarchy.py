r"""The first alert, at every level: a supernova, a core collapse, of type II.

Reproduces: nothing; brokers' users ask for it. The network of configs/
    stamp_classifier.py on all kinds of simulated alerts, and what lies above them by
    addition. So kinds are drawn as often as there are objects of them, and the loss
    asks for no entropy: drawn equally often, or blurred, four kinds of variable stars
    would make one four times as likely as an AGN. Kinds with fewer training objects
    than config.selection.min_class_size are pooled: in :laptop SNIbc, of which there are 60, with
    SNII.
Run:     python -m experiments.train --config=configs/stamp_hierarchy.py \
             --workdir=runs/stamp_hierarchy
Presets: :laptop (chosen without an accelerator), a network of half the width; :paper,
    the published size on ten times the objects; :smoke. There is no :hits: its stamps
    come without a template.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base, stamp_classifier


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = stamp_classifier.get_config(preset)
    config.classes = base.ALERT_KINDS
    config.loader.balance, config.method.args.entropy_weight = False, 0.0
    config.selection.min_class_size = 1 if preset == "smoke" else 80
    return config
