r"""2D-CNN on dm-dt maps of light curves of variable stars.

Reproduces: the network of Carraro's thesis on variable stars of ZTF, Sect. 3.2; not its
    scores: there the maps are made with the label's help (docs/deviations.md).
Run:     python -m experiments.train --config=configs/cnn_dmdt.py \
             --manual_dir=FOLDER --workdir=runs/cnn_dmdt
Presets: :laptop (chosen without an accelerator; a quarter as wide, nine classes of
    ASAS, which FOLDER/asas/asas.parquet holds), :paper (the same, the published
    width), :hits (light curves measured on real images), :smoke (simulated ones).
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    config.model.name = "cnn_dmdt"
    args = config.model.args
    args.widths, args.hidden = (64, 128, 256, 256), (1024, 512)
    args.absolute = False  # True: brighter and fainter count alike, as in the thesis
    args.dropout = 0.3  # before each dense layer
    args.features = False  # True: the network is told the catalogue's numbers too
    base.supervised(config)
    if preset == "paper":
        args.absolute, args.dropout = True, 0.0
    else:
        args.widths, args.hidden = (16, 32, 64, 64), (128, 64)
    if preset == "smoke":
        args.widths, args.hidden = (4, 4, 4, 4), (8, 8)
    base.variable_stars(config)
    config.representation.name = "dmdt"
    config.representation.normalisation = "ceil" if preset == "paper" else "share"
    return config
