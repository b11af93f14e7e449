r"""CNN+LSTM after Carrasco-Davis et al.: frames of all bands, and an LSTM over nights.

Reproduces: the row CNN+LSTM of Bairouk et al. 2023, A&A 673, A141, Table 4, as far as
    possible: its layers are not published, its number of parameters is matched.
Run:     python -m experiments.train --config=configs/cnn_lstm.py \
             --workdir=runs/cnn_lstm
Presets: :laptop (default without an accelerator), narrow, with 1.8 times the parameters
    of ConvEntion, as published; :paper (default with one); :hits (real sequences of one
    band); :smoke (for tests).
Expect:  docs/results/published_tables.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "cnn_lstm"
    args = config.model.args
    args.widths = (16, 16, 32, 32)  # channels; each layer halves the frames
    args.hidden = 256  # units of the LSTM in each direction
    args.num_layers = 2  # of the LSTM
    args.dropout = 0.3  # before the class layer
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
    args.widths, args.hidden = (8, 8, 16, 16), 110
    if preset == "hits":
        base.set_hits_run(config)
        args.bands, args.gap = 1, 0.0  # keeps the variation within a night
        args.encoding = "gaps"  # as nights are unevenly spaced
    elif preset == "smoke":
        base.set_smoke_run(config)
        args.widths, args.hidden = (4, 4, 4, 4), 8
    return config
