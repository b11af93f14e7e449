r"""Variational auto-encoder of the first alert's stamps, with nearly normal codes.

Reproduces: the method of Kingma & Welling 2014, arXiv 1312.6114, on alert stamps; none
    of its tables. Scores are those of a linear probe. As stamps are between 0 and 1,
    the likelihood may also be --config.method.args.likelihood=bernoulli.
Run:     python -m experiments.train --config=configs/stamp_vae.py --workdir=runs/vae
Presets: :laptop (default without an accelerator), a narrow network; :paper (default
    with one), a wider one on ten times the objects; :smoke (for tests).
    No :hits: its stamps come without a template and a difference.
Expect:  docs/results/autoencoders.md, with times and machine.
"""

from configs import stamp_autoencoder


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = stamp_autoencoder.get_config(preset)
    config.method.args.prior = "normal"
    config.method.args.beta_steps = config.num_steps // 4
    return config
