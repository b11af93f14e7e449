r"""Real or bogus: differences of SDSS-II as hand scanners saw them, by a small CNN.

Reproduces: the first and the refined network of Negm 2021, figshare 13720948
    (--config.model.args.form=initial), on simulated images; the real ones are not
    published. Its scores are accuracies where most images are real: read the balanced
    accuracy and the area under the ROC curve, beside the majority baseline.
Run:     python -m experiments.train --config=configs/real_bogus_cnn.py \
             --workdir=runs/real_bogus
Presets: :laptop (chosen without an accelerator), :paper, as many images as there are
    real ones; :smoke. The network is the same in all. There is no :hits: its stamps
    are no differences.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    config.model.name = "real_bogus_cnn"
    args = config.model.args
    args.form = "refined"  # or "initial"
    args.widths = (32, 64, 128)  # channels of the convolutions
    args.hidden = 128  # units of the hidden layer
    base.supervised(config)
    base.hand_scan(config)
    if preset == "smoke":
        args.widths, args.hidden = (4, 4, 4), 8
    return config
