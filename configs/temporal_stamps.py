r"""An object by its alerts as they come: AGN, supernova or variable star.

Reproduces: the temporal stamp classifier of Neira et al. 2024, arXiv 2405.15073, as far
    as it can be: its layers are not published. Objects are cut short at random as they
    are learned, so that one network answers after 1, 2, ... 20 alerts; the report says
    how well after each. A run may start from one of configs/stamp_classifier.py with
    the same classes and widths, its encoder frozen or not:
        --config.init_from=runs/stamps
        --config.model.args.over_time=gru
        --config.optimizer.train_only='("gru", "numbers", "hidden", "logits")'
Run:     python -m experiments.train --config=configs/temporal_stamps.py \
             --workdir=runs/temporal
Presets: :laptop (chosen without an accelerator), a narrow network; :paper, on ten times
    the objects; :smoke. There is no :hits: its stamps come without a template.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    config.model.name = "temporal_stamps"
    args = config.model.args
    args.widths, args.kernel = (16, 32), 3  # of the convolutions; pixels on a side
    args.code = 64  # units that stand for the stamps of an alert
    args.over_time = "attention"  # the best on validation; "gru", "lstm", "conv"
    args.hidden = 64  # units that read the alerts, and of the hidden layer
    args.dropout = 0.2
    args.stamps = ("science", "template", "difference")  # those looked at; () for none
    args.features = True  # whether the numbers beside the stamps are told
    args.band_rows = 10  # most bands, and one for padding
    base.supervised(config)
    base.first_alerts(config)
    config.classes = ("AGN", "SN", "VS")  # the others are seen once
    most = 4 if preset == "smoke" else 20
    config.representation.max_epochs = config.loader.loaded_epochs = most
    config.augment.max_epochs, config.augment.truncate = most, 1.0
    if preset == "paper":
        args.widths, args.kernel = (32, 64), 5
    elif preset != "smoke":
        config.batch_size, config.num_steps, config.evaluate_every = 32, 300, 50
    return config
