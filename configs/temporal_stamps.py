r"""All alerts of an object: AGN, supernova or variable star, after each alert.

Reproduces: the temporal stamp classifier of Neira et al. 2024, arXiv 2405.15073, as far
    as possible: its layers are not published. Training truncates objects at random, so
    that one network predicts after 1, 2, ... 20 alerts; the report has the score after
    each. A run may start from one of configs/stamp_classifier.py with the same classes
    and widths, with its encoder frozen or not:
        --config.init_from=runs/stamps
        --config.model.args.over_time=gru
        --config.optimizer.train_only='("gru", "numbers", "hidden", "logits")'
Run:     python -m experiments.train --config=configs/temporal_stamps.py \
             --workdir=runs/temporal
Presets: :laptop (default without an accelerator), a narrow network; :paper (default
    with one), a wider one on ten times the objects; :smoke (for tests).
    No :hits: its stamps come without a template and a difference.
Expect:  docs/results/alert_sequences.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "temporal_stamps"
    args = config.model.args
    args.widths, args.kernel = (16, 32), 3  # of the convolutions; pixels on a side
    args.code = 64  # units that encode the stamps of an alert
    args.over_time = "attention"  # best on the validation fold; "gru", "lstm", "conv"
    args.hidden = 64  # units over time, and of the hidden layer
    args.dropout = 0.2
    args.stamps = ("science", "template", "difference")  # of the input; () for none
    args.features = True  # False: without the numbers of the alert
    args.band_rows = 10  # largest number of bands, and one row for padding
    base.set_supervised(config)
    base.set_first_alerts(config)
    config.classes = ("AGN", "SN", "VS")  # objects of the others have one alert
    most = 4 if preset == "smoke" else 20
    config.representation.max_epochs = config.loader.loaded_epochs = most
    config.augment.max_epochs, config.augment.truncate = most, 1.0
    if preset == "paper":
        args.widths, args.kernel = (32, 64), 5
    elif preset != "smoke":
        config.batch_size, config.num_steps, config.evaluate_every = 32, 300, 50
    return config
