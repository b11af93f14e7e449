r"""The first alert: AGN, supernova, variable star, asteroid or bogus, by its stamps.

Reproduces: the stamp classifier of ALeRCE, Carrasco-Davis et al. 2021, AJ 162, 231:
    its network and loss, on simulated alerts. Of its 23 numbers we use those that an
    alert has by itself, not where it lies nor how often the place was looked at.
Run:     python -m experiments.train --config=configs/stamp_classifier.py \
             --workdir=runs/stamps
Presets: :laptop (chosen without an accelerator), a network of half the width; :paper,
    the published size on ten times the objects; :smoke. There is no :hits: its stamps
    come without a template.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    config.model.name = "stamp_classifier"
    args = config.model.args
    args.widths, args.kernel = (16, 32), 3  # of the convolutions; pixels on a side
    args.hidden = 64  # units of the dense layers
    args.dropout = 0.5
    args.stamps = ("science", "template", "difference")  # those looked at; () for none
    args.features = True  # whether the numbers beside the stamps are told
    base.supervised(config)
    config.method.args.entropy_weight = 0.5
    base.first_alerts(config)
    if preset == "paper":
        args.widths, args.kernel = (32, 64), 5
    elif preset != "smoke":  # in few steps: picked on the validation fold
        args.dropout, config.optimizer.learning_rate = 0.2, 3e-3
    return config
