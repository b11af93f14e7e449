r"""Auto-encoder of stamps whose codes lie in clusters, which it learns with them.

Reproduces: VaDE, Jiang et al. 2017, arXiv 1611.05148, on alert stamps, not a table of
    theirs. It starts from a plain auto-encoder and a Gaussian mixture that is fitted to
    its codes; without config.init_from the mixture starts at random, and most clusters
    stay empty. Its scores are those of a linear probe; how well its clusters are the
    classes, which no label taught them, stands in the report.
Run:     python -m experiments.train --config=configs/stamp_autoencoder.py \
             --config.method.args.latent=10 --workdir=runs/autoencoder_10
         python -m experiments.train --config=configs/stamp_vade.py \
             --config.init_from=runs/autoencoder_10 --workdir=runs/vade
Presets: :laptop (chosen without an accelerator), a narrow network; :paper, on ten times
    the objects; :smoke. There is no :hits: its stamps come without a template.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import stamp_autoencoder


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = stamp_autoencoder.get_config(preset)
    args = config.method.args
    args.prior, args.latent = "mixture", 10  # numbers of a code, as published
    args.clusters = 8  # more than classes: one may need several
    return config
