r"""SITS-BERT's encoder, trained to tell nights as they were before noise was added.

Reproduces: the pre-training of Yuan & Lin 2021, IEEE JSTARS 14, 474, on light curves.
    Its scores are those of a linear probe, whose gradient ends before the encoder. A
    run of configs/sits_bert.py starts from it:
        --config.init_from=runs/sits_bert_pretrain
Run:     python -m experiments.train --config=configs/sits_bert_pretrain.py \
             --workdir=runs/sits_bert_pretrain
Presets: :laptop (chosen without an accelerator; half as wide), :paper, :hits (light
    curves measured on real images of one band), :smoke.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base, sits_bert


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = sits_bert.get_config(preset)
    config.method.name, config.method.args = "corrupted_light_curve", base.ConfigDict()
    config.method.args.share = 0.15  # chance of a night to be corrupted
    config.method.args.noise = 0.5  # the most that is added to its fluxes
    if preset != "hits":  # where every object has a label
        config.loader.unlabelled_share = 0.2  # Unknown is 20 % of the survey
    return config
