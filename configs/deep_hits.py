r"""Deep-HiTS: real or bogus by the first alert's stamps, in four orientations.

Reproduces: the network of Cabrera-Vives et al. 2017, ApJ 836, 97, on three stamps of
    simulated alerts; its four classes of objects are one here.
Run:     python -m experiments.train --config=configs/deep_hits.py \
             --workdir=runs/deep_hits
Presets: :laptop (default without an accelerator), a network of half the width; :paper
    (default with one), the published size on ten times the objects; :smoke (for tests).
    No :hits: its stamps come without a template and a difference.
Expect:  docs/results/real_bogus.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "deep_hits"
    args = config.model.args
    args.widths = (16, 32)  # of the convolutions
    args.hidden = 64  # units of the dense layers
    args.dropout = 0.5
    args.stamps = ("science", "template", "difference")  # of the input
    base.set_supervised(config)
    base.set_first_alerts(config)
    config.classes = ("AGN+SN+VS+Asteroid", "Bogus")
    if preset == "paper":
        args.widths = (32, 64)
    return config
