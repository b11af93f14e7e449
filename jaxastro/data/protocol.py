"""Who trains, who picks the state and who is tested: the protocols that have names.

Two stages. The survey gave most supernovae a type by their light curves, some of them
wrongly, and a few by a spectrum. So a network may learn from the former ("photometric")
and then go on with the latter ("confirmed"), or learn from all at once ("all"). A class
without photometric labels gives one half of its objects to each stage.

    honest       Folds by group (field, cluster). Test, validation and training are
                 three: the state is picked on objects that are not tested. Whoever is
                 tested, and whoever shares a field with one, is seen in no stage. All
                 labelled objects are tested, the faint ones too.
    published    Folds by object. The tested objects also pick the state; supernovae of
                 photometric type are never tested, and all train, in every fold.

Source: published: Bairouk et al. 2023, A&A 673, A141, Sect. 4.1 and Table 3, and their
    public code, whose validation set is the test set. honest: ours.
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
) -> dict[str, np.ndarray]:
    """Returns the row numbers of train, validation and test; rows without label stay.

    Args:
        object_id: [o], as the three that follow it: names.
        protocol: one of PROTOCOLS, above.
        stage: one of STAGES: whose labels are trained on.
        held_out: one of HELD_OUT: the splits that do not train. The others are empty.
    Raises:
        ValueError: if a name is unknown, or there are no labels to stage.
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
            f"Stage {stage!r}, but no label is photometric: there are "
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
        # all of photometric type, also those whose fold this is
        train = np.union1d(others, np.flatnonzero(photometric))
        rows = {"train": train, "validation": tested, "test": tested}
    if held_out != "validation_and_test":
        others = np.union1d(rows["train"], rows["test"])
        rows["train"] = np.setdiff1d(others, rows["validation"])
        rows["test"] = rows["test"][:0]
    if held_out == "nothing":
        rows["train"] = np.union1d(rows["train"], rows["validation"])
        rows["validation"] = rows["validation"][:0]
    kept = in_stage(object_id, label, label_source, stage=stage)
    rows["train"] = rows["train"][kept[rows["train"]]]
    return rows


def in_stage(
    object_id: np.ndarray, label: np.ndarray, label_source: np.ndarray, *, stage: str
) -> np.ndarray:
    """Returns [o] bool, whose labels a stage trains on; those without one are in all.

    The half of a class that is all confirmed is told by a hash of the object's name.
    """
    unlabelled = label == UNLABELLED
    if stage == "all":
        return np.ones(len(label), bool)
    photometric = label_source == "photometric"
    shared = ~unlabelled & ~np.isin(label, np.unique(label[photometric]))
    early = np.array(
        [hashlib.sha256(f"{n}".encode()).digest()[0] % 2 for n in object_id]
    )
    in_photometric = np.where(shared, early == 0, photometric)
    return unlabelled | (in_photometric == (stage == "photometric"))
