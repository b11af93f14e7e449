r"""2D-CNN on dm-dt maps of light curves of variable stars.

Reproduces: the network of Carraro's thesis on variable stars of ZTF, Sect. 3.2. Not its
    scores: its maps are made with the label (docs/deviations.md).
Run:     python -m experiments.train --config=configs/cnn_dmdt.py \
             --manual_dir=FOLDER \
             --workdir=runs/cnn_dmdt
Presets: :laptop (default without an accelerator), a quarter of the width, nine classes
    of ASAS, whose raw file is FOLDER/asas/asas.parquet; :paper (default with one), the
    same with the published width; :hits (light curves measured on real images); :smoke
    (simulated light curves, for tests).
Expect:  docs/results/asas.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "cnn_dmdt"
    args = config.model.args
    args.widths, args.hidden = (64, 128, 256, 256), (1024, 512)
    args.absolute = False  # True: absolute differences of magnitudes, as in the thesis
    args.dropout = 0.3  # before each dense layer
    args.features = False  # True: numbers of the catalogue are inputs as well
    base.set_supervised(config)
    if preset == "paper":
        args.absolute, args.dropout = True, 0.0
    else:
        args.widths, args.hidden = (16, 32, 64, 64), (128, 64)
    if preset == "smoke":
        args.widths, args.hidden = (4, 4, 4, 4), (8, 8)
    base.set_variable_stars(config)
    config.representation.name = "dmdt"
    config.representation.normalisation = "ceil" if preset == "paper" else "share"
    return config
