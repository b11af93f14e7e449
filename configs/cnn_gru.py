r"""CNN+GRU after TAO-Net: frames of all bands, a GRU over the nights.

Reproduces: the row CNN+GRU of Bairouk et al. 2023, A&A 673, A141, Table 4, as far as
    it can be: its layers were not published, its number of parameters is matched.
Run:     python -m experiments.train --config=configs/cnn_gru.py \
             --workdir=runs/cnn_gru
Presets: :laptop (chosen without an accelerator; narrow, 1.6 times the parameters of
    ConvEntion's, as published), :paper, :hits (real data of one band), :smoke.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
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
    args.band_rows = 10  # maps of embedded frames, one of them padding's
    args.encoding = "none"  # "gaps": tells the GRU the days between frames
    args.dtype = "float32"  # "bfloat16": half the memory, faster on accelerators
    base.supervised(config)
    if preset == "paper":
        base.paper(config)
        return config
    args.widths, args.hidden = (12, 24, 48), 210
    if preset == "hits":
        base.hits_run(config)
        args.bands, args.gap = 1, 0.0  # what varies within a night must be seen
        args.encoding = "gaps"  # nights are uneven: ConvEntion is told the time too
    elif preset == "smoke":
        base.smoke_run(config)
        args.widths, args.hidden, args.class_hidden = (4, 4, 4), 8, 8
    return config
