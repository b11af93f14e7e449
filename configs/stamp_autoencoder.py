r"""Auto-encoder of the first alert's stamps: 32 numbers to draw them again from.

Reproduces: the idea of the student project on alert stamps that is followed, whose
    layers are not at hand; no label is learned, and the likelihood of the validation
    stamps picks the state. Its scores are those of a linear probe, whose gradient ends
    before the code. What the code is worth beside principal components of as many
    numbers: python -m experiments.studies.reconstruction. On real alerts:
        --config.survey=ztf_alerts --manual_dir=FOLDER \
        --config.classes="('AGN','SN','VS','Asteroid')" --config.num_steps=300
Run:     python -m experiments.train --config=configs/stamp_autoencoder.py \
             --workdir=runs/autoencoder
Presets: :laptop (chosen without an accelerator), a narrow network; :paper, on ten times
    the objects; :smoke. There is no :hits: its stamps come without a template.
Expect:  see docs/results, which holds each figure with its command and machine.
"""

from configs import base


def get_config(preset: str = "auto"):
    """Returns the experiment, locked by --config: a misspelt key is an error."""
    config = base.get_config(preset)
    config.model.name = "stamp_encoder"
    args = config.model.args
    args.widths, args.kernel = (16, 32), 3  # of the convolutions; pixels on a side
    args.hidden = 128  # units of the dense layer
    args.stamps = ("science", "template", "difference")  # those looked at
    base.autoencoder(config)
    base.first_alerts(config)
    config.augment.rotation, config.augment.rotation_step = 180.0, 90.0
    if preset == "paper":
        args.widths = config.method.args.widths = (32, 64)
    elif preset != "smoke":  # in few steps
        config.optimizer.learning_rate = 3e-3
    return config
