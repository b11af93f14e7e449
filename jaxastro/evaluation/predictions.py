"""Predictions of one split on disk, with everything that reports show of them."""

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxastro.atomic_write import atomic_write
from jaxastro.errors import InputError, MissingFileError

FILE_NAME = "predictions.npz"
BASELINES = ("majority", "nuisance")  # every report compares the model with both
_DICTIONARIES = ("baseline_probability", "shown_inputs", "hierarchy")
_TEXT = ("object_id", "label_source", "group")
_NUMBERS = {
    "label": np.int32,
    "probability": np.float32,
    "spread": np.float32,
    "embedding": np.float32,
    "num_epochs": np.int32,
    "early_epochs": np.int32,
    "early_probability": np.float32,
    "early_spread": np.float32,
    "detected": np.int32,
    "early_days": np.int32,
    "early_days_probability": np.float32,
    "shown": np.int32,
}
_SHOWN = {"band": np.int32, "epoch_mask": np.bool_}  # others: float32
_INTEGERS = ("cluster", "neighbour_rows", "anomaly_rows")  # members of the two below


class ObjectNumbers(NamedTuple):
    """Numbers of each object, [o]; None where the survey or the method has none."""

    magnitude: np.ndarray | None = None  # float32, of the first alert; NaN if unknown
    seeing: np.ndarray | None = None  # float32, FWHM in pixels, of the first alert
    anomaly_score: np.ndarray | None = None  # float32, see below
    cluster: np.ndarray | None = None  # int32, index into LatentSpace.cluster_centers

    # The anomaly score is the negative evidence lower bound of an auto-encoder, in nats
    # per pixel: -log p(stamps | code) plus the divergence of the code from its prior.


class LatentSpace(NamedTuple):
    """Decoder outputs and neighbours in the latent space of an auto-encoder.

    Axes: w latent coordinates, k values of one coordinate, g clusters, s shown objects,
    n neighbours, a anomalies; stamps are y x 3.
    """

    traversals: np.ndarray  # w k y x 3  decoded along one coordinate
    traversal_values: np.ndarray  # w k  values of that coordinate
    cluster_centers: np.ndarray  # g y x 3  decoded centre of each cluster
    neighbour_rows: np.ndarray  # s n  int32 row numbers, nearest first
    neighbours: np.ndarray  # s n y x 3  stamps of their first alerts
    anomaly_rows: np.ndarray  # a  int32 row numbers, highest anomaly score first
    anomalies: np.ndarray  # a y x 3  stamps of their first alerts


class Predictions(NamedTuple):
    """Predictions of a model for the objects of one split, and what reports show.

    Axes: o objects, c classes, d features, k early evaluations, e objects with a
    detection, s shown objects. Every probability row sums to one. A spread is the
    standard deviation of a probability over sampled networks; a model that samples no
    networks has an axis c of length 0.
    """

    title: str  # such as "semiconformer on sdss_sn_sim/laptop, fold 0"
    classes: tuple[str, ...]
    bands: tuple[str, ...]
    scored_against: str  # "survey labels" or "simulated truth", shown in the report
    object_id: np.ndarray  # o  str, each once
    label: np.ndarray  # o  int32 index into classes; scores use it
    label_source: np.ndarray  # o  str
    group: np.ndarray  # o  str, never split over folds, resampled together
    probability: np.ndarray  # o c  float32
    spread: np.ndarray  # o c  float32, or o 0
    embedding: np.ndarray  # o d  float32
    num_epochs: np.ndarray  # o  int32, epochs of the object in the survey
    early_epochs: np.ndarray  # k  int32, evaluation after the first n epochs
    early_probability: np.ndarray  # k o c  float32
    early_spread: np.ndarray  # k o c  float32, or k o 0
    detected: np.ndarray  # e  int32 row numbers, by evaluation/detection.py
    early_days: np.ndarray  # k  int32, evaluation n days after the first detection
    early_days_probability: np.ndarray  # k e c  float32
    baseline_probability: dict[str, np.ndarray]  # name -> o c
    shown: np.ndarray  # s  int32 row numbers of the objects whose inputs follow
    shown_inputs: dict[str, np.ndarray]  # field of types.Inputs -> s ..
    by_object: ObjectNumbers
    latent_space: LatentSpace | None  # of an auto-encoder; None for other methods
    hierarchy: dict[str, np.ndarray]  # name -> c bool, classes in it; parents first


def no_early_evaluations(
    probability: np.ndarray, spread: np.ndarray
) -> dict[str, np.ndarray]:
    """Returns the fields of early evaluations of a model that had none."""
    return {
        "early_epochs": np.zeros(0, int),
        "early_probability": np.zeros((0, *probability.shape)),
        "early_spread": np.zeros((0, *spread.shape)),
        "detected": np.zeros(0, int),
        "early_days": np.zeros(0, int),
        "early_days_probability": np.zeros((0, 0, *probability.shape[1:])),
    }


def save(predictions: Predictions, folder: Path) -> Path:
    """Writes predictions.npz into a folder and returns its path.

    The write is atomic: a killed run leaves no partial file. The file holds plain
    arrays only, so that reading an untrusted one cannot run code.

    Raises:
        ValueError: if the arrays contradict each other; the message names the object.
    """
    predictions = checked(predictions)
    flat = predictions._asdict()
    named = {field: flat.pop(field) for field in _DICTIONARIES}
    named["by_object"] = flat.pop("by_object")._asdict()
    latent_space = flat.pop("latent_space")
    named["latent_space"] = latent_space._asdict() if latent_space else {}
    for field, values in named.items():
        present = {name: value for name, value in values.items() if value is not None}
        flat |= {f"{field}/{name}": value for name, value in present.items()}

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.asarray(value) for name, value in flat.items()}
    with atomic_write(folder / FILE_NAME, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    return folder / FILE_NAME


def load(folder: Path) -> Predictions:
    """Returns the predictions of a folder, with the checks that `save` makes.

    Raises:
        FileNotFoundError: if there is no file; the message names the command.
        ValueError: if it is damaged, or written by another version.
    """
    path = Path(folder) / FILE_NAME
    if not path.is_file():
        raise MissingFileError(
            f"No predictions at {path}. Reports need the output of an evaluation. Run "
            "jaxastro evaluate --workdir=RUN first."
        )
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            flat = dict(arrays)
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise InputError(
            f"{path} cannot be read ({error}). It is damaged or is no NumPy archive. "
            "Run jaxastro evaluate --workdir=RUN again."
        ) from error

    for field in (*_DICTIONARIES, "by_object", "latent_space"):
        flat[field] = {
            name.removeprefix(f"{field}/"): flat.pop(name)
            for name in list(flat)
            if name.startswith(f"{field}/")
        }
    for name in ("title", "scored_against"):
        if name in flat:
            flat[name] = str(flat[name])
    for name in ("classes", "bands"):
        if name in flat:
            flat[name] = tuple(flat[name].tolist())
    flat = _with_defaults(flat)
    wrong = set(flat) ^ set(Predictions._fields)
    wrong |= set(flat["by_object"]) - set(ObjectNumbers._fields)
    if flat["latent_space"]:
        wrong |= set(flat["latent_space"]) ^ set(LatentSpace._fields)
    if wrong:
        raise InputError(
            f"{path}: fields {', '.join(sorted(wrong))} are missing or unknown, so "
            "another version wrote it. Run jaxastro evaluate "
            "--workdir=RUN again."
        )
    latent_space = flat["latent_space"]
    flat["latent_space"] = LatentSpace(**latent_space) if latent_space else None
    flat["by_object"] = ObjectNumbers(**flat["by_object"])
    return checked(Predictions(**flat))


def _with_defaults(flat: dict) -> dict:
    """Returns the fields of a file, with empty ones that a model may not have."""
    if not {"probability", "early_epochs", "early_probability"} <= set(flat):
        return flat  # not a file of predictions: load reports the missing fields
    nothing, evaluations = flat["probability"][:, :0], len(flat["early_epochs"])
    default = no_early_evaluations(flat["probability"], nothing) | {"spread": nothing}
    default["early_spread"] = np.zeros((evaluations, *nothing.shape))
    return default | flat


def checked(predictions: Predictions) -> Predictions:
    """Returns the predictions with the types and shapes that Predictions declares.

    Raises:
        ValueError: if shapes disagree, an object appears twice, or a number is out of
            range. The message names the object.
    """
    given = predictions._asdict()
    given |= {name: np.asarray(given[name], str) for name in _TEXT}
    given |= {name: np.asarray(given[name], kind) for name, kind in _NUMBERS.items()}
    given["baseline_probability"] = {
        name: np.asarray(value, np.float32)
        for name, value in given["baseline_probability"].items()
    }
    given["shown_inputs"] = {
        name: np.asarray(value, _SHOWN.get(name, np.float32))
        for name, value in given["shown_inputs"].items()
    }
    given["by_object"] = _typed(given["by_object"])
    if given["latent_space"]:
        given["latent_space"] = _typed(given["latent_space"])
    given["hierarchy"] = {
        name: np.asarray(value, np.bool_) for name, value in given["hierarchy"].items()
    }
    given["classes"], given["bands"] = tuple(given["classes"]), tuple(given["bands"])
    predictions = Predictions(**given)
    _check_shapes(predictions)
    _check_rows(predictions)
    _check_objects(predictions)
    _check_shown(predictions)
    return predictions


def _typed(arrays: ObjectNumbers | LatentSpace) -> ObjectNumbers | LatentSpace:
    """Returns the members with their types."""
    kinds = {
        name: np.int32 if name in _INTEGERS else np.float32 for name in arrays._fields
    }
    return arrays._replace(
        **{
            name: np.asarray(value, kinds[name])
            for name, value in arrays._asdict().items()
            if value is not None
        }
    )


def _check_rows(p: Predictions) -> None:
    tables = {"shown": p.shown, "detected": p.detected}
    if p.latent_space:
        tables["neighbour_rows"] = p.latent_space.neighbour_rows.ravel()
        tables["anomaly_rows"] = p.latent_space.anomaly_rows
    for name, rows in tables.items():
        wrong = (rows < 0) | (rows >= len(p.object_id))
        if wrong.any():
            raise InputError(
                f"{name} holds row {rows[wrong.argmax()]}, but there are "
                f"{len(p.object_id)} objects. Give row numbers from 0."
            )


def _check_shapes(p: Predictions) -> None:
    num_objects, num_classes = len(p.object_id), len(p.classes)
    if not num_objects or num_classes < 2:
        raise InputError(
            f"Predictions of {num_objects} objects over {num_classes} classes. Scores "
            "need at least one object and two classes."
        )
    num_shown, num_early = len(p.shown), len(p.early_epochs)
    num_detected, num_days = len(p.detected), len(p.early_days)
    probability = (num_objects, num_classes)
    spread = probability if p.spread.size else (num_objects, 0)
    expected = {
        "label": (num_objects,),
        "label_source": (num_objects,),
        "group": (num_objects,),
        "num_epochs": (num_objects,),
        "probability": probability,
        "spread": spread,
        "early_probability": (num_early, *probability),
        "early_spread": (num_early, *spread),
        "early_days_probability": (num_days, num_detected, num_classes),
    }
    given = {name: getattr(p, name).shape for name in expected}
    for name, value in p.baseline_probability.items():
        expected[f"baseline {name}"], given[f"baseline {name}"] = (
            probability,
            value.shape,
        )
    for name, inside in p.hierarchy.items():
        key = f"hierarchy {name}"
        expected[key], given[key] = (num_classes,), inside.shape
    expected["embedding"], given["embedding"] = (num_objects,), p.embedding.shape[:1]
    for name, value in p.shown_inputs.items():
        key = f"{name} of those shown"
        expected[key], given[key] = (num_shown,), value.shape[:1]
    for name, value in p.by_object._asdict().items():
        if value is not None:
            expected[f"{name} by object"] = (num_objects,)
            given[f"{name} by object"] = value.shape
    for name, shape in expected.items():
        if given[name] != shape:
            raise InputError(
                f"Predictions: {name} has shape {given[name]}, but {num_objects} "
                f"objects, {num_classes} classes, {num_early} early evaluations, "
                f"{num_days} days, {num_detected} detected and {num_shown} shown "
                f"objects need {shape}."
            )


def _check_objects(p: Predictions) -> None:
    name, times = np.unique(p.object_id, return_counts=True)
    if times.max() > 1:
        raise InputError(
            f"Object {name[times.argmax()]} appears {times.max()} times. Every object "
            "is scored once. Remove the duplicates before evaluating."
        )
    wrong = (p.label < 0) | (p.label >= len(p.classes))
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"Object {p.object_id[row]}: label {p.label[row]}, but the classes are "
            f"numbered 0 to {len(p.classes) - 1}. Score labelled objects only."
        )
    tables = {"probability": p.probability, "embedding": p.embedding}
    tables["spread"] = p.spread
    tables |= {f"baseline {n}": v for n, v in p.baseline_probability.items()}
    for n, probability, spread in zip(
        p.early_epochs, p.early_probability, p.early_spread, strict=True
    ):
        tables[f"probability after {n} epochs"] = probability
        tables[f"spread after {n} epochs"] = spread
    for name, table in tables.items():
        _check_table(name, table, p.object_id)
    for n, table in zip(p.early_days, p.early_days_probability, strict=True):
        _check_table(f"probability after {n} days", table, p.object_id[p.detected])


def _check_table(name: str, table: np.ndarray, object_id: np.ndarray) -> None:
    """Raises if a row is not of the kind that the name of its table requires."""
    wrong = ~np.isfinite(table).all(axis=1)
    if wrong.any():
        raise InputError(
            f"Object {object_id[wrong.argmax()]}: {name} is not a number "
            f"({int(wrong.sum())} of {len(table)} objects). The model diverged, or "
            "its input was not finite. Train again from an earlier checkpoint."
        )
    if name == "embedding":
        return
    if name.startswith("spread"):  # of numbers from 0 to 1
        wrong = (table > 0.5 + 1e-3).any(axis=1)
        kind = "standard deviation of probabilities: numbers from 0 to 0.5."
    else:
        wrong = abs(table.sum(axis=1) - 1) > 1e-3
        kind = "distribution: numbers from 0 on that sum to 1. Give softmax(logits)."
    wrong |= (table < 0).any(axis=1)
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"Object {object_id[row]}: {name} {table[row].tolist()} is not a {kind}"
        )


def _check_shown(p: Predictions) -> None:
    if "band" not in p.shown_inputs:
        return
    mask, band = p.shown_inputs["epoch_mask"], p.shown_inputs["band"]
    wrong = mask & ((band < 0) | (band >= len(p.bands)))
    if wrong.any():
        row = p.shown[wrong.any(axis=1).argmax()]
        raise InputError(
            f"Object {p.object_id[row]}: band {band[wrong][0]} of an epoch that is "
            f"shown, but the bands are {', '.join(p.bands)}, numbered from 0."
        )
