r"""CNN+GRU after TAO-Net: frames of all bands, and a GRU over the nights.

Reproduces: the row CNN+GRU of Bairouk et al. 2023, A&A 673, A141, Table 4, as far as
    possible: its layers are not published, its number of parameters is matched.
Run:     python -m experiments.train --config=configs/cnn_gru.py --workdir=runs/cnn_gru
Presets: :laptop (default without an accelerator), narrow, with 1.6 times the parameters
    of ConvEntion, as published; :paper (default with one); :hits (real sequences of one
    band); :smoke (for tests).
Expect:  docs/results/published_tables.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "cnn_gru"
    args = config.model.args
    args.widths = (24, 48, 96)  # channels; each layer halves the frames
    args.hidden = 512  # units of the GRU in each direction
    args.class_hidden = 64  # units of the classifier's hidden layer
    args.dropout = 0.3  # before and after it
    args.frames = "merged"  # "embedded": one band each, with a learned map of it
    args.bands = 5  # of the survey: channels of merged frames
    args.gap = 0.5  # days without an epoch that end the night of a merged frame
    args.band_rows = 10  # maps of embedded frames, one of them for padding
    args.encoding = "none"  # "gaps": days between frames are inputs as well
    args.dtype = "float32"  # "bfloat16": half the memory, faster on accelerators
    base.set_supervised(config)
    if preset == "paper":
        base.set_paper(config)
        return config
    args.widths, args.hidden = (12, 24, 48), 210
    if preset == "hits":
        base.set_hits_run(config)
        args.bands, args.gap = 1, 0.0  # keeps the variation within a night
        args.encoding = "gaps"  # as nights are unevenly spaced
    elif preset == "smoke":
        base.set_smoke_run(config)
        args.widths, args.hidden, args.class_hidden = (4, 4, 4), 8, 8
    return config
