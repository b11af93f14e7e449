r"""SCONE: a CNN on heat maps of light curves.

Reproduces: the row SCONE of Bairouk 2023, thesis, Table 4.4, with the network of Qu et
    al. 2021, arXiv 2106.04370.
Run:     python -m experiments.train --config=configs/scone.py --workdir=runs/scone
Presets: :laptop (default without an accelerator), :paper (default with one; 400
    passes), :smoke (for tests). The network is the same in all. No :hits: its objects
    vary within hours, while a pixel of a heat map is a day, and its one band does not
    determine 32 wavelengths.
Expect:  docs/results/published_tables.md, with times and machine.
"""

from configs import base
from jaxastro.errors import InputError


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    if preset == "hits":
        raise InputError(
            "configs/scone.py has no preset 'hits': a pixel of a heat map is a day, "
            "and HiTS lasted four days, in one band. Use another network, such as "
            "configs/supernnova.py:hits, or :laptop, :paper or :smoke."
        )
    config.model.name = "scone"
    args = config.model.args
    args.hidden = 32  # units of the hidden layer
    args.dropout = (0.5, 0.3)  # before and after it
    base.set_supervised(config)
    if preset == "smoke":
        base.set_smoke_run(config)
    elif preset == "paper":
        config.survey = "sdss_sn_sim/paper"
        config.num_steps, config.evaluate_every = 61_000, 1525  # about 400 passes
        config.optimizer.decay, config.optimizer.clip = "constant", 0.0
    name = config.survey.replace("/", ".")
    config.survey = f"heat_maps/light_curves.{name}"
    config.representation.name, config.representation.normalisation = "cutout", "peak"
    config.augment.update({"drop": 0.0, "rotation": 0.0, "flip": False})
    return config
