"""Shared parts of the experiments: presets, models and methods with their arguments.

Every key of a config, with its default, unit and reason: jaxastro/runs/spec.py. The
arguments of a model and of a method are in config.model.args and config.method.args;
they are passed to its constructor, which checks them.
"""

import dataclasses

from ml_collections import ConfigDict

from jaxastro.errors import InputError
from jaxastro.runs.spec import RunSpec

PRESETS = ("auto", "paper", "laptop", "smoke", "hits")
# Without EB_unspecified, which is no class: data_builders/asas/asas.md.
ASAS_CLASSES = (
    "Mira",
    "RRab",
    "RRc",
    "DeltaScuti",
    "BetaCephei",
    "ACV",
    "EB_contact",
    "EB_semidetached",
    "EB_detached",
)
ZTF_TYPES = (
    "BYDra",
    "CEP+CEPII",
    "DSCT",
    "EA",
    "EW",
    "Mira",
    "RR",
    "RRc",
    "RSCVN",
    "SR",
)

ALERT_CLASSES = ("AGN", "SN", "VS", "Asteroid", "Bogus")
ALERT_HIERARCHY = (  # simulated alerts are labelled at the lowest level
    ("SN", ("SNIa", "CoreCollapse")),
    ("CoreCollapse", ("SNIbc", "SNII")),
    ("VS", ("Pulsating", "EB")),
    ("Pulsating", ("RRLyrae", "Cepheid", "LongPeriod")),
    ("Bogus", ("dipole", "cosmic_ray", "column", "ghost", "noise")),
)
ALERT_KINDS = (
    "AGN",
    "SNIa",
    "SNIbc",
    "SNII",
    "RRLyrae",
    "Cepheid",
    "LongPeriod",
    "EB",
    "Asteroid",
    "dipole",
    "cosmic_ray",
    "column",
    "ghost",
    "noise",
)
# The numbers of an alert that do not depend on earlier observations, on the place on
# the sky or on another network, and that mean the same in real and simulated packets,
# unlike chipsf, fwhm and sky: data_builders/ztf/ztf_alerts_sim.md.
ALERT_COLUMNS = (
    "magpsf",
    "sigmapsf",
    "diffmaglim",
    "isdiffpos",
    "scorr",
    "distnr",
    "magnr",
    "sgscore1",
    "distpsnr1",
    "sgscore2",
    "distpsnr2",
    "sgscore3",
    "distpsnr3",
)


def get_config(preset: str = "auto") -> ConfigDict:
    """Returns the shared keys with their defaults.

    Raises:
        InputError: if the preset is unknown.
    """
    if preset not in PRESETS:
        raise InputError(
            f"No preset named {preset!r}. Known presets: {', '.join(PRESETS)}. Write "
            "one after a colon: --config=configs/semiconformer.py:laptop."
        )
    return ConfigDict(dataclasses.asdict(RunSpec(preset=preset)))


# -- models and methods ----------------------------------------------------------------


def set_convention(config: ConfigDict) -> None:
    """Sets the model ConvEntion, with the published arguments."""
    config.model.name = "convention"
    args = config.model.args
    args.widths = (64, 128, 64, 8)  # channels of the 3D-CNN's four layers
    args.num_blocks = 2  # of attention
    args.num_heads = 4  # must divide the last width
    args.hidden = 256  # units of the classifier's hidden layer
    args.dropout = 0.3  # before and after it
    args.downsize = "3d"  # "2d": each frame separately, three times as many maps
    args.score = "linear"  # "additive": attention that depends on the query, O(N^2)
    args.norm = "joint"  # published; "per_epoch" allows series of any length
    args.encoding = "positional"  # "mjd": by time; "date": by time, learned; "none"
    args.band_embedding = "learned"  # "fixed", "none"
    args.band_token = False  # True: maps are also given the bands of their frames
    args.band_rows = 10  # largest number of bands, and one row for padding
    args.change = "none"  # "linear", "asinh": adds frame minus mean of its band
    args.pool = "max"  # over time; "mean_max": both, twice the embedding
    args.masked = True  # False: padding takes part, as in the published code
    args.remat = False  # True: recompute in the backward pass; no effect on CPU
    args.dtype = "float32"  # "bfloat16": half the memory, faster on accelerators


def set_supervised(config: ConfigDict) -> None:
    """Sets training on labels."""
    config.method.name = "supervised"
    args = config.method.args
    args.loss = "cross_entropy"  # or "focal"
    args.label_smoothing = 0.0  # of the cross-entropy
    args.focal_gamma = 2.0  # weight of easy objects is (1 - probability) ** gamma
    args.entropy_weight = 0.0  # of an entropy bonus against over-confidence
    args.average_decay = 0.0  # 0.99: predict with an average of the parameters
    args.divergence_weight = 0.0  # of uncertain weights: 1 / training objects


def set_autoencoder(config: ConfigDict) -> None:
    """Sets training of an auto-encoder of stamps, which uses no label."""
    config.method.name, config.best_metric = "autoencoder", "log_likelihood"
    args = config.method.args
    args.latent = 32  # numbers of a code
    args.prior = "none"  # of codes; "normal", "mixture": codes are sampled
    args.clusters = 5  # of the mixture
    args.likelihood = "gaussian"  # or "bernoulli", of stamps between 0 and 1
    args.beta = 1.0  # weight of the divergence from the prior
    args.beta_steps = 0  # over which that weight rises from 0; 0: at once
    args.widths = (16, 32)  # of the decoder, as of the encoder


def set_supernnova(config: ConfigDict) -> None:
    """Sets SuperNNova, of the published size, on light curves."""
    config.model.name = "supernnova"
    args = config.model.args
    args.form = "plain"  # "variational", "bayes": sample networks
    args.hidden, args.num_layers = 32, 2  # units of a layer in each direction
    args.bands = 5  # of the survey
    args.longest = 0.33  # days from a night's first epoch to its last
    args.dropout = 0.05
    args.num_draws = 50  # networks that a prediction samples
    set_light_curves(config)


def set_visits(config: ConfigDict) -> None:
    """Sets the training of a visit transformer: large batches, averaged parameters."""
    config.method.args.label_smoothing = 0.1  # a tenth of photometric labels is wrong
    config.method.args.average_decay = 0.99  # predicts with averaged parameters
    config.optimizer.name = "adamw"
    config.optimizer.learning_rate = 2e-3
    config.optimizer.weight_decay = 1e-2
    config.augment.max_epochs = config.representation.max_epochs
    if config.preset != "smoke":
        config.optimizer.warmup_steps = 30
        config.batch_size = 32 if config.preset == "hits" else 128


# -- surveys ---------------------------------------------------------------------------


def set_light_curves(config: ConfigDict) -> None:
    """Sets light curves measured on the images of the preset."""
    if config.preset == "paper":
        set_paper(config)
    elif config.preset == "smoke":
        set_smoke_run(config)
    elif config.preset == "hits":
        set_hits_run(config)
        config.representation.normalisation = "relative"
        if "bands" in config.model.args:
            config.model.args.bands = 1
        config.model.args.longest = 0.0  # keeps the variation within a night
    config.survey = f"light_curves/{config.survey.replace('/', '.')}"
    config.representation.name = "light_curve"
    if config.preset != "hits":
        config.representation.normalisation = "asinh"


def set_variable_stars(config: ConfigDict) -> None:
    """Sets nine classes of real variable stars, as images of their light curves."""
    if config.preset == "hits":
        set_hits_run(config)
        config.survey = "light_curves/hits"
    elif config.preset == "smoke":
        set_smoke_run(config)
        config.survey = "light_curves/sdss_sn_sim.tiny"
    else:
        config.survey = "asas"
        config.classes = ASAS_CLASSES
        config.representation.max_epochs = config.loader.loaded_epochs = 500
        config.batch_size, config.num_steps, config.evaluate_every = 128, 2000, 200
        config.optimizer.warmup_steps = 100
    config.loader.cache_examples = True
    config.augment.update({"drop": 0.0, "rotation": 0.0, "flip": False})
    config.augment.max_epochs = config.loader.loaded_epochs


def refuse_hits(config: ConfigDict, reason: str) -> None:
    """Refuses the preset hits, for configs whose input HiTS does not have.

    Args:
        reason: end of the sentence "whose stamps ...".
    Raises:
        InputError: if the preset is hits.
    """
    if config.preset == "hits":
        raise InputError(
            f"This config has no preset 'hits', whose stamps {reason}. Use :laptop, "
            ":paper or :smoke, or for HiTS configs/convention.py:hits."
        )


def set_hand_scan(config: ConfigDict) -> None:
    """Sets simulated hand-scan images of two classes, bogus and real."""
    refuse_hits(config, "are no differences")
    config.survey = "sdss_handscan_sim/laptop"
    config.batch_size, config.num_steps, config.evaluate_every = 64, 400, 50
    if config.preset == "smoke":
        set_smoke_run(config)
        config.survey = "sdss_handscan_sim/tiny"
    elif config.preset == "paper":
        config.survey = "sdss_handscan_sim/paper"
        config.batch_size, config.num_steps = 128, 18_000  # about 200 passes
        config.evaluate_every = 500
    config.classes = (
        "Artefact+Dipole+Saturated Star",
        "Moving+Variable+Transient+SN Other+SN Bronze+SN Silver+SN Gold",
    )
    config.representation.name, config.representation.normalisation = "cutout", "grey"
    config.augment.update({"drop": 0.0, "rotation": 0.0, "flip": False})


def set_first_alerts(config: ConfigDict) -> None:
    """Sets the first alert of each simulated object: three stamps and 13 numbers."""
    refuse_hits(config, "come without a template and a difference")
    config.survey, config.classes = "ztf_alerts_sim/laptop", ALERT_CLASSES
    config.hierarchy = ALERT_HIERARCHY
    config.selection.columns, config.selection.crop = ALERT_COLUMNS, 21
    config.batch_size, config.num_steps, config.evaluate_every = 64, 1000, 100
    if config.preset == "smoke":
        set_smoke_run(config)
        config.survey = "ztf_alerts_sim/tiny"
    elif config.preset == "paper":
        config.survey = "ztf_alerts_sim/paper"
        config.num_steps, config.evaluate_every = 30_000, 1000
    config.representation.name = "stamps"
    config.representation.normalisation = "min_max"
    config.representation.max_epochs = config.loader.loaded_epochs = 1
    config.augment.max_epochs, config.augment.drop = 1, 0.0
    config.augment.rotation = 0.0


def set_ztf_catalogue(config: ConfigDict) -> None:
    """Sets ten types of the ZTF catalogue of periodic variables, in r."""
    config.survey = "ztf_periodic/clean"
    config.classes = ZTF_TYPES
    config.selection.bands = ("r",)
    config.representation.normalisation = "harmonic"


# -- presets ---------------------------------------------------------------------------


def set_laptop(config: ConfigDict) -> None:
    """Sets a narrow ConvEntion: a complete run takes minutes on two cores."""
    config.model.args.widths = (16, 16, 16, 8)
    config.model.args.norm = "per_epoch"


def set_paper(config: ConfigDict) -> None:
    """Sets the published sizes: 99 epochs, 1.25 million parameters, 100 passes."""
    config.survey = "sdss_sn_sim/paper"
    config.representation.max_epochs = config.augment.max_epochs = 99
    config.loader.loaded_epochs = 200
    config.representation.normalisation = "standard"
    config.batch_size = 128
    config.num_steps = 3800  # about 100 passes over three folds of labelled objects
    config.evaluate_every = 190  # about five passes
    config.optimizer.clip = 0.0


def set_smoke(config: ConfigDict) -> None:
    """Sets two steps of a tiny ConvEntion."""
    set_laptop(config)
    set_smoke_run(config)
    config.model.args.widths = (4, 4, 4, 4)
    config.model.args.num_heads = 2


def set_smoke_run(config: ConfigDict) -> None:
    """Sets two steps on a tiny survey, for tests; a model sets its own sizes."""
    config.survey = "sdss_sn_sim/tiny"
    config.representation.max_epochs = config.loader.loaded_epochs = 9
    config.augment.max_epochs = 6
    config.batch_size = 8
    config.num_steps, config.evaluate_every = 2, 1
    config.optimizer.warmup_steps = 0


def set_hits(config: ConfigDict) -> None:
    """Sets a narrow ConvEntion on the real DECam sequences of HiTS."""
    set_laptop(config)
    set_hits_run(config)
    config.model.args.encoding = "mjd"  # by time, as nights are unevenly spaced


def set_hits_run(config: ConfigDict) -> None:
    """Sets the real sequences of HiTS: three classes, one band, folds by field."""
    config.survey = "hits"
    # Without NonVariable, whose fields identify it: data_builders/hits/hits.md.
    config.classes = ("SN", "EB", "RRLyrae")
    # The longest series has 29 epochs.
    config.representation.max_epochs = config.loader.loaded_epochs = 30
    config.representation.normalisation = "variability"
    # Of the seeds 0 to 39 the one whose smallest class in a fold is largest.
    config.folds.split_seed = 5
    config.augment.max_epochs = 30
    config.optimizer.name = "adamw"
    config.optimizer.learning_rate = 2e-3
    config.optimizer.weight_decay = 1e-3
    config.optimizer.warmup_steps = 30
    config.num_steps = 300
    config.evaluate_every = 60
