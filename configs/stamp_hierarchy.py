r"""The first alert, at every level: a supernova, a core collapse, of type II.

Reproduces: nothing; brokers' users ask for it. The network of configs/
    stamp_classifier.py on all kinds of simulated alerts, and what lies above them by
    addition. Kinds with fewer training objects than config.data.fewest are pooled: in
    :laptop SNIbc, of which there are 60, with SNII.
Run:     python -m experiments.train --config=configs/stamp_hierarchy.py \
             --workdir=runs/stamp_hierarchy
Presets: :laptop (chosen without an accelerator), a network of half the width; :paper,
    the published size on ten times the objects; :smoke. There is no :hits: its stamps
    come without a template.
Expect:  scores at every level in the report; none is measured yet.
"""

from configs import base, stamp_classifier


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = stamp_classifier.get_config(preset)
    config.classes = base.ALERT_KINDS
    config.data.fewest = 1 if preset == "smoke" else 80
    return config
