"""Shared parts of the tables: protocol, stages, folds, members, and their systems.

A system is a config with some keys changed. Published numbers are in percent, as
printed; they have a table of their own, because they are of other data.
"""

from ml_collections import ConfigDict

from jaxastro.errors import InputError

PRESETS = ("auto", "paper", "laptop", "smoke")


def make_table(name: str, title: str, preset: str) -> ConfigDict:
    """Returns a table without systems.

    Sizes: laptop has all 10,217 objects, half of their visits, narrow networks, 200
    and then 100 steps of 32 objects, one member per fold (--config.seeds='(0,1,2)' for
    three); paper has the published sizes, about 100 and then 50 passes, three members.

    Raises:
        InputError: if the preset is unknown.
    """
    if preset not in PRESETS:
        raise InputError(
            f"No preset named {preset!r}. Known presets: {', '.join(PRESETS)}. Write "
            f"one after a colon: --config=configs/tables/{name}.py:laptop."
        )
    table = ConfigDict()
    table.name, table.title, table.preset = name, title, preset
    table.protocol = "honest"  # "published": jaxastro/data/protocol.py
    table.folds = (0, 1, 2, 3, 4)
    table.seeds = (0,)  # the members of each fold's ensemble
    table.evaluations = 3  # of the validation fold in each stage, to select the state
    table.reference = "convention"  # the system that differences are relative to
    table.shown = ()  # systems with confusion matrices; the first two: curves, t-SNE
    table.curves = ()  # classes whose ROC curves are drawn
    table.missing = ()  # shares of the epochs that are removed from tested objects
    table.changes = (("loader.unlabelled_share", 0.0),)  # of every system's config
    if preset == "paper":
        steps = {"photometric": 3800, "confirmed": 1900}
        table.seeds = (0, 1, 2)
    elif preset == "smoke":
        steps = {"photometric": 2, "confirmed": 2}
        table.folds = (0, 1)
    else:
        steps = {"photometric": 200, "confirmed": 100}
        table.changes += (("survey", "sdss_sn_sim/all_objects"),)
        table.changes += (("folds.num_validated", 400),)
    table.stages = tuple(steps)  # in this order; a ConfigDict would sort them
    table.in_stage = ConfigDict()  # stage -> changes of every system's config in it
    for stage, count in steps.items():
        table.in_stage[stage] = (("folds.stage", stage), ("num_steps", count))
    table.rows = ()  # keys of the systems, in the order of the table
    table.systems = ConfigDict()
    return table


def add_system(
    table: ConfigDict,
    key: str,
    name: str,
    config: str,
    *changes: tuple[str, object],
    published: dict[str, float] | None = None,
    stages: dict[str, tuple] | None = None,
) -> None:
    """Adds a row.

    Args:
        key: name of its folder.
        name: as the table shows it.
        config: a file, such as configs/convention.py; the table's preset is added.
        published: accuracy and macro_f1, percent, and seconds.
        stages: stage -> this system's changes in it; None: the table's stages.
    """
    system = table.systems[key] = ConfigDict()
    system.name, system.config, system.changes = name, config, changes
    system.kind = "network"  # or "forest", "boosting", on
    system.features = ()  # of these sets: jaxastro/baselines/features.py
    system.published = published or {}
    system.stages = tuple(stages or table.stages)
    system.in_stage = ConfigDict(stages or {})
    system.config_of = ConfigDict()  # stage -> another file in it
    table.rows += (key,)


def add_aperture_forest(
    table: ConfigDict, key: str = "forest", config: str = "configs/convention.py"
) -> None:
    """Adds a random forest on aperture light curves, trained on all labels."""
    name = "random forest on light curves"
    add_system(table, key, name, config, stages={"all": ()})
    table.systems[key].update({"kind": "forest", "features": ("aperture",)})


def add_feature_systems(
    table: ConfigDict,
    config: str,
    *changes,
    features: tuple[str, ...] = ("shape",),
    key: str = "features",
    name: str = "features of light curves",
    kinds: tuple[str, ...] = ("forest", "boosting"),
    add=add_system,
) -> None:
    """Adds a random forest and gradient boosting on features, trained on all labels.

    Args:
        config: of light curves.
        features: sets of features.
        key: end of the folders' names.
        name: of the features, as the table shows them.
        kinds: of classifiers.
        add: add_light_curve_system, in a table of images.
    """
    words = {"forest": "random forest", "boosting": "gradient boosting"}
    for kind in kinds:
        mine, title = f"{kind}_{key}", f"{words[kind]}, {name}"
        add(table, mine, title, config, *changes, stages={"all": ()})
        table.systems[mine].update({"kind": kind, "features": features})


def add_light_curve_system(
    table: ConfigDict,
    key: str,
    name: str,
    config: str,
    *changes,
    survey: str = "light_curves/sdss_sn_sim",
    **more,
) -> None:
    """Adds a system on light curves of the table's images, like add_system."""
    if table.preset in ("auto", "laptop"):
        changes += (("survey", f"{survey}.all_objects"),)
    add_system(table, key, f"{name}, light curves", config, *changes, **more)


def add_convention(table: ConfigDict) -> None:
    """Adds ConvEntion, the system that most tables compare with."""
    name, found = "ConvEntion, ugriz", percent(79.83, 70.62)
    add_system(table, "convention", name, "configs/convention.py", published=found)


def steps_of(table: ConfigDict) -> dict[str, int]:
    """Returns the number of steps in each stage."""
    return {s: dict(table.in_stage[s])["num_steps"] for s in table.stages}


def percent(accuracy: float, macro_f1: float) -> dict[str, float]:
    """Returns published scores, percent, in the form that add_system takes."""
    return {"accuracy": accuracy, "macro_f1": macro_f1}


def g_band_changes(config: str, preset: str) -> tuple:
    """Returns the changes that restrict a system to the g band."""
    changes = (("selection.bands", ("g",)),)
    if config in ("cnn_gru", "cnn_lstm"):
        changes += (("model.args.bands", 1),)
    if preset in ("auto", "laptop"):  # no object has more than 24
        changes += (("loader.loaded_epochs", 24), ("representation.max_epochs", 24))
        changes += (("augment.max_epochs", 12),)
    return changes
