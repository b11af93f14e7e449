r"""SCONE on heat maps of light curves.

Reproduces: the row SCONE of Bairouk 2023, thesis, Table 4.4, by the network of Qu et
    al. 2021, arXiv 2106.04370.
Run:     python -m experiments.train --config=configs/scone.py --workdir=runs/scone
Presets: :laptop (chosen without an accelerator), :paper (400 passes), :smoke. The
    network is the same in all. There is no :hits: its stars and supernovae vary within
    hours, a pixel is a day; and of its one band 32 wavelengths would be made up.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base
from jaxastro.errors import InputError


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    if preset == "hits":
        raise InputError(
            "configs/scone.py has no preset 'hits': a pixel of a heat map is a day, "
            "HiTS lasted four, in one band. Use another network, such as "
            "configs/supernnova.py:hits, or :laptop, :paper or :smoke."
        )
    config.model.name = "scone"
    args = config.model.args
    args.hidden = 32  # units of the hidden layer
    args.dropout = (0.5, 0.3)  # before and after it
    base.supervised(config)
    if preset == "smoke":
        base.smoke_run(config)
    elif preset == "paper":
        config.survey = "sdss_sn_sim/paper"
        config.num_steps, config.evaluate_every = 61_000, 1525  # about 400 passes
        config.optimizer.decay, config.optimizer.clip = "constant", 0.0
    name = config.survey.replace("/", ".")
    config.survey = f"heat_maps/light_curves.{name}"
    config.representation.name, config.representation.normalisation = "cutout", "peak"
    config.augment.update({"drop": 0.0, "rotation": 0.0, "flip": False})
    return config
