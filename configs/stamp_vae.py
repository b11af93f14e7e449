r"""Variational auto-encoder of the first alert's stamps: codes nearly normal.

Reproduces: the method of Kingma & Welling 2014, arXiv 1312.6114, on alert stamps, not a
    table of theirs. Its scores are those of a linear probe. With stamps between 0 and 1
    the likelihood may be --config.method.args.likelihood=bernoulli.
Run:     python -m experiments.train --config=configs/stamp_vae.py --workdir=runs/vae
Presets: :laptop (chosen without an accelerator), a narrow network; :paper, on ten times
    the objects; :smoke. There is no :hits: its stamps come without a template.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import stamp_autoencoder


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = stamp_autoencoder.get_config(preset)
    config.method.args.prior = "normal"
    config.method.args.beta_steps = config.num_steps // 4  # the weight of KL rises
    return config
