r"""The first alert: AGN, supernova, variable star, asteroid or bogus, by its stamps.

Reproduces: the network and loss of ALeRCE's stamp classifier, Carrasco-Davis et al.
    2021, AJ 162, 231, on simulated alerts. Of its 23 numbers it takes those that depend
    on the alert alone, without its place on the sky and earlier observations.
Run:     python -m experiments.train --config=configs/stamp_classifier.py \
             --workdir=runs/stamps
Presets: :laptop (default without an accelerator), a network of half the width; :paper
    (default with one), the published size on ten times the objects; :smoke (for tests).
    No :hits: its stamps come without a template and a difference.
Expect:  docs/results/stamps.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "stamp_classifier"
    args = config.model.args
    args.widths, args.kernel = (16, 32), 3  # of the convolutions; pixels on a side
    args.hidden = 64  # units of the dense layers
    args.dropout = 0.5
    args.stamps = ("science", "template", "difference")  # of the input; () for none
    args.features = True  # False: without the numbers of the alert
    base.set_supervised(config)
    config.method.args.entropy_weight = 0.5
    base.set_first_alerts(config)
    if preset == "paper":
        args.widths, args.kernel = (32, 64), 5
    elif preset != "smoke":  # for few steps; chosen on the validation fold
        args.dropout, config.optimizer.learning_rate = 0.2, 3e-3
    return config
