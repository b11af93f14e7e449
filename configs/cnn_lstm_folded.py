r"""CNN-LSTM on folded light curves of variable stars.

Reproduces: the network of Carraro's thesis on variable stars of ZTF, Sect. 3.2, and
    with :paper its input: curves drawn from a catalogue's amplitude and Fourier
    numbers, which its types were made from.
Run:     python -m experiments.train --config=configs/cnn_lstm_folded.py \
             --manual_dir=FOLDER --workdir=runs/cnn_lstm_folded
Presets: :laptop (chosen without an accelerator; a quarter as wide, curves fitted to
    the light curves of nine classes of ASAS, which FOLDER/asas/asas.parquet holds),
    :paper (the published width; ten types of the ZTF catalogue, of which FOLDER holds
    ztf_periodic/Table2.txt.zip), :hits (light curves measured on real images),
    :smoke (simulated ones).
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    config.model.name = "cnn_lstm_folded"
    args = config.model.args
    args.widths, args.states = (64, 128, 256, 256), (64, 128)
    args.hidden = (1024, 512)
    args.dropout = 0.3  # before each dense layer
    args.features = False  # True: the network is told the catalogue's numbers too
    base.supervised(config)
    if preset == "paper":
        args.dropout = 0.0
    else:
        args.widths, args.states = (16, 32, 64, 64), (16, 32)
        args.hidden = (128, 64)
    if preset == "smoke":
        args.widths, args.states, args.hidden = (4, 4, 8, 8), (4, 8), (16, 8)
    base.variable_stars(config)
    config.representation.name = "folded"
    config.representation.normalisation = "fitted"
    if preset == "paper":
        base.ztf_catalogue(config)
        config.optimizer.learning_rate = 2e-4
        config.num_steps, config.evaluate_every = 4800, 240  # about 100 passes
    return config
