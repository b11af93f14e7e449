"""Evaluation protocols: which objects train, validate and test.

    honest       Folds of groups (fields, clusters). Training, validation and test are
                 disjoint, so the state is selected on objects that are not tested. No
                 stage trains on a tested object or on others of its group. All
                 labelled objects are tested, including faint ones.
    published    Folds of objects. The state is selected on the tested objects.
                 Supernovae with a photometric type are never tested and train in every
                 fold.

Training may have two stages, because most supernovae have a photometric type, which may
be wrong, and only some have a spectrum. A network trains on the former ("photometric")
and then on the latter ("confirmed"), or on all at once ("all"). Of a class without
photometric labels one half of the objects belongs to each stage.

Source: published: Bairouk et al. 2023, A&A 673, A141, Sect. 4.1 and Table 3, and their
    public code, whose validation set is the test set. honest: of this project.
"""

import hashlib

import numpy as np

from jaxastro.data.split import split_of
from jaxastro.errors import InputError
from jaxastro.surveys import UNLABELLED

PROTOCOLS = ("honest", "published")
HELD_OUT = ("validation_and_test", "validation", "nothing")
STAGES = ("all", "photometric", "confirmed")


def rows_of_protocol(
    object_id: np.ndarray,
    group: np.ndarray,
    label: np.ndarray,
    label_source: np.ndarray,
    *,
    protocol: str,
    stage: str,
    test_fold: int,
    num_folds: int,
    seed: int,
    held_out: str = "validation_and_test",
    only_training: tuple[str, ...] = (),
) -> dict[str, np.ndarray]:
    """Returns the row numbers of train, validation and test, with unlabelled rows.

    Args:
        object_id: [o], names, as group, label and label_source.
        protocol: one of PROTOCOLS.
        stage: one of STAGES, the labels that train.
        test_fold: from 0 to num_folds - 1.
        seed: of the folds.
        held_out: one of HELD_OUT, the splits that do not train; the others are empty.
        only_training: label sources whose objects train in every fold and are never
            validated or tested, such as "simulated" for simulations of a survey.
    Raises:
        InputError: if a name is unknown, or a stage needs photometric labels and there
            are none.
    """
    for name, value, known in (
        ("protocol", protocol, PROTOCOLS),
        ("stage", stage, STAGES),
        ("held_out", held_out, HELD_OUT),
    ):
        if value not in known:
            raise InputError(f"No {name} {value!r}. Known: {', '.join(known)}.")
    photometric = label_source == "photometric"
    if stage != "all" and not photometric.any():
        raise InputError(
            f"Stage {stage!r}, but no label is photometric: the sources are "
            f"{', '.join(np.unique(label_source).tolist())}. Set "
            "config.folds.stage='all'."
        )
    published = protocol == "published"
    rows = split_of(
        object_id if published else group,
        test_fold=test_fold,
        num_folds=num_folds,
        seed=seed,
    )
    if published:
        tested = rows["test"][~photometric[rows["test"]]]
        others = np.concatenate([rows["train"], rows["validation"]])
        # Objects with photometric labels train in their own test fold too.
        train = np.union1d(others, np.flatnonzero(photometric))
        rows = {"train": train, "validation": tested, "test": tested}
    if held_out != "validation_and_test":
        others = np.union1d(rows["train"], rows["test"])
        rows["train"] = np.setdiff1d(others, rows["validation"])
        rows["test"] = rows["test"][:0]
    if held_out == "nothing":
        rows["train"] = np.union1d(rows["train"], rows["validation"])
        rows["validation"] = rows["validation"][:0]
    never_tested = np.isin(label_source, only_training)
    for split in ("validation", "test"):
        rows[split] = rows[split][~never_tested[rows[split]]]
    rows["train"] = np.union1d(rows["train"], np.flatnonzero(never_tested))
    kept = in_stage(object_id, label, label_source, stage=stage)
    rows["train"] = rows["train"][kept[rows["train"]]]
    return rows


def in_stage(
    object_id: np.ndarray, label: np.ndarray, label_source: np.ndarray, *, stage: str
) -> np.ndarray:
    """Returns [o] bool, the objects that train in a stage; unlabelled ones always do.

    A class without photometric labels is halved by a hash of the objects' names.

    Args:
        object_id: [o], names, as label and label_source.
        stage: one of STAGES.
    """
    unlabelled = label == UNLABELLED
    if stage == "all":
        return np.ones(len(label), bool)
    photometric = label_source == "photometric"
    is_halved = ~unlabelled & ~np.isin(label, np.unique(label[photometric]))
    half = np.array(
        [hashlib.sha256(f"{n}".encode()).digest()[0] % 2 for n in object_id]
    )
    in_photometric = np.where(is_halved, half == 0, photometric)
    return unlabelled | (in_photometric == (stage == "photometric"))
