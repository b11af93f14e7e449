r"""SITS-BERT's encoder, pre-trained to predict nights before noise was added.

Reproduces: the pre-training of Yuan & Lin 2021, IEEE JSTARS 14, 474, on light curves.
    Scores are those of a linear probe, whose gradient does not reach the encoder. A run
    of configs/sits_bert.py starts from it with
        --config.init_from=runs/sits_bert_pretrain
Run:     python -m experiments.train --config=configs/sits_bert_pretrain.py \
             --workdir=runs/sits_bert_pretrain
Presets: :laptop (default without an accelerator), half the width; :paper (default with
    one); :hits (light curves measured on real images of one band); :smoke (for tests).
Expect:  docs/results/published_tables.md, with times and machine.
"""

from configs import base, sits_bert


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = sits_bert.get_config(preset)
    config.method.name, config.method.args = "corrupted_light_curve", base.ConfigDict()
    config.method.args.share = 0.15  # probability that a night is corrupted
    config.method.args.noise = 0.5  # largest noise added to its fluxes
    if preset != "hits":  # where every object has a label
        config.loader.unlabelled_share = 0.2  # Unknown is 20 % of the survey
    return config
