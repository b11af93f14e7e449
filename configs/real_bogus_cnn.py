r"""Small CNN on colour differences of SDSS-II, as used by hand scanners: real or bogus.

Reproduces: the refined network of Negm 2021, figshare 13720948, and its initial one
    (--config.model.args.form=initial), on simulated images; the real ones are not
    published. Most images are real, so read the balanced accuracy and the area under
    the ROC curve together with the majority baseline.
Run:     python -m experiments.train --config=configs/real_bogus_cnn.py \
             --workdir=runs/real_bogus
Presets: :laptop (default without an accelerator); :paper (default with one), as many
    images as there are real ones; :smoke (for tests), a smaller network. No :hits: its
    stamps are no differences.
Expect:  docs/results/real_bogus.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "real_bogus_cnn"
    args = config.model.args
    args.form = "refined"  # or "initial"
    args.widths = (32, 64, 128)  # channels of the convolutions
    args.hidden = 128  # units of the hidden layer
    base.set_supervised(config)
    base.set_hand_scan(config)
    if preset == "smoke":
        args.widths, args.hidden = (4, 4, 4), 8
    return config
