r"""Folded light curves and dm-dt maps of variable stars, in one network.

Reproduces: nothing. Its two parts are the networks of Carraro's thesis on variable
    stars of ZTF, Sect. 3.2, which are separate there.
Run:     python -m experiments.train --config=configs/hybrid.py \
             --manual_dir=FOLDER \
             --workdir=runs/hybrid
Presets: :laptop (default without an accelerator), a quarter of the width, nine classes
    of ASAS, whose raw file is FOLDER/asas/asas.parquet; :paper (default with one), the
    same with the published widths; :hits (light curves measured on real images); :smoke
    (simulated light curves, for tests).
Expect:  docs/results/asas.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "hybrid"
    args = config.model.args
    wide = preset == "paper"
    args.folded_widths = (64, 128, 256, 256) if wide else (16, 32, 64, 64)
    args.map_widths = args.folded_widths
    args.states = (64, 128) if wide else (16, 32)  # units of the LSTMs
    args.absolute = False  # True: absolute differences of magnitudes, as in the thesis
    args.hidden = (1024, 512) if wide else (128, 64)
    args.dropout = 0.3  # before each dense layer
    args.features = False  # True: numbers of the catalogue are inputs as well
    base.set_supervised(config)
    if preset == "smoke":
        args.folded_widths = args.map_widths = (4, 4, 4, 4)
        args.states, args.hidden = (4, 4), (8, 8)
    base.set_variable_stars(config)
    config.representation.name = "folded_and_map"
    config.representation.normalisation = "fitted+share"
    return config
