r"""Real or bogus by the first alert's stamps, in four orientations.

Reproduces: Deep-HiTS, Cabrera-Vives et al. 2017, ApJ 836, 97: its network, on three
    stamps of simulated alerts; four classes of sources are one here.
Run:     python -m experiments.train --config=configs/deep_hits.py \
             --workdir=runs/deep_hits
Presets: :laptop (chosen without an accelerator), a network of half the width; :paper,
    the published size on ten times the objects; :smoke. There is no :hits: its stamps
    come without a template.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    config.model.name = "deep_hits"
    args = config.model.args
    args.widths = (16, 32)  # of the convolutions
    args.hidden = 64  # units of the dense layers
    args.dropout = 0.5
    args.stamps = ("science", "template", "difference")  # those looked at
    base.supervised(config)
    base.first_alerts(config)
    config.classes = ("AGN+SN+VS+Asteroid", "Bogus")
    if preset == "paper":
        args.widths = (32, 64)
    return config
