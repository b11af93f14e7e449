r"""Auto-encoder of the first alert's stamps, with a code of 32 numbers.

Reproduces: the idea of a student project on alert stamps, whose layers are not
    available. No label is used: the likelihood of the validation stamps selects the
    state. Scores are those of a linear probe, whose gradient does not reach the code.
    Comparison with principal components: python -m experiments.studies.reconstruction.
    On real alerts:
        --config.survey=ztf_alerts --manual_dir=FOLDER \
        --config.classes="('AGN','SN','VS','Asteroid')" --config.num_steps=300
Run:     python -m experiments.train --config=configs/stamp_autoencoder.py \
             --workdir=runs/autoencoder
Presets: :laptop (default without an accelerator), a narrow network; :paper (default
    with one), a wider one on ten times the objects; :smoke (for tests).
    No :hits: its stamps come without a template and a difference.
Expect:  docs/results/autoencoders.md, with times and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment of a preset."""
    config = base.get_config(preset)
    config.model.name = "stamp_encoder"
    args = config.model.args
    args.widths, args.kernel = (16, 32), 3  # of the convolutions; pixels on a side
    args.hidden = 128  # units of the dense layer
    args.stamps = ("science", "template", "difference")  # of the input
    base.set_autoencoder(config)
    base.set_first_alerts(config)
    config.augment.rotation, config.augment.rotation_step = 180.0, 90.0
    if preset == "paper":
        args.widths = config.method.args.widths = (32, 64)
    elif preset != "smoke":  # for few steps
        config.optimizer.learning_rate = 3e-3
    return config
