r"""VaDE: an auto-encoder of stamps with clusters of codes, which are learned with it.

Reproduces: the method of Jiang et al. 2017, arXiv 1611.05148, on alert stamps; none of
    its tables. It starts from a plain auto-encoder and a Gaussian mixture fitted to its
    codes; without config.init_from the mixture starts at random, and most clusters stay
    empty. Scores are those of a linear probe; the report compares clusters and classes.
Run:     python -m experiments.train --config=configs/stamp_autoencoder.py \
             --config.method.args.latent=10 --workdir=runs/autoencoder_10
         python -m experiments.train --config=configs/stamp_vade.py \
             --config.init_from=runs/autoencoder_10 --workdir=runs/vade
Presets: :laptop (default without an accelerator), a narrow network; :paper (default
    with one), a wider one on ten times the objects; :smoke (for tests).
    No :hits: its stamps come without a template and a difference.
Expect:  docs/results/autoencoders.md, with times and machine.
"""

from configs import stamp_autoencoder


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = stamp_autoencoder.get_config(preset)
    args = config.method.args
    args.prior, args.latent = "mixture", 10  # numbers of a code, as published
    args.clusters = 8  # more than classes: a class may need several
    return config
