r"""CNN-LSTM on folded light curves of variable stars.

Reproduces: the network of Carraro's thesis on variable stars of ZTF, Sect. 3.2, and
    with :paper its input: curves computed from the amplitudes and Fourier coefficients
    of a catalogue, which its types were derived from.
Run:     python -m experiments.train --config=configs/cnn_lstm_folded.py \
             --manual_dir=FOLDER \
             --workdir=runs/cnn_lstm_folded
Presets: :laptop (default without an accelerator), a quarter of the width, curves fitted
    to light curves of nine classes of ASAS, whose raw file is FOLDER/asas/asas.parquet;
    :paper (default with one), the published width, ten types of the ZTF catalogue,
    whose raw file is FOLDER/ztf_periodic/Table2.txt.zip; :hits (light curves measured
    on real images); :smoke (simulated light curves, for tests).
Expect:  docs/results/asas.md and ztf_periodic.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "cnn_lstm_folded"
    args = config.model.args
    args.widths, args.states = (64, 128, 256, 256), (64, 128)
    args.hidden = (1024, 512)
    args.dropout = 0.3  # before each dense layer
    args.features = False  # True: numbers of the catalogue are inputs as well
    base.set_supervised(config)
    if preset == "paper":
        args.dropout = 0.0
    else:
        args.widths, args.states = (16, 32, 64, 64), (16, 32)
        args.hidden = (128, 64)
    if preset == "smoke":
        args.widths, args.states, args.hidden = (4, 4, 8, 8), (4, 8), (16, 8)
    base.set_variable_stars(config)
    config.representation.name = "folded"
    config.representation.normalisation = "fitted"
    if preset == "paper":
        base.set_ztf_catalogue(config)
        config.optimizer.learning_rate = 2e-4
        config.num_steps, config.evaluate_every = 4800, 240  # about 100 passes
    return config
