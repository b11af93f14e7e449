"""Which objects each protocol trains on, validates with and tests."""

import numpy as np
import pytest

from jaxastro.data.protocol import PROTOCOLS, STAGES, in_stage, rows_of_protocol

OBJECTS = 4000
generator = np.random.default_rng(0)
KIND = generator.integers(5, size=OBJECTS)
NAMES = np.array([f"object {i}" for i in range(OBJECTS)])
FIELDS = np.array([f"field {i}" for i in generator.integers(90, size=OBJECTS)])
LABEL = np.array(["SNIa", "SNIa", "AGN", "Variable", "Unknown"])[KIND]
SOURCES = ("photometric", "spectroscopic", "spectroscopic", "catalogue", "none")
SOURCE = np.array(SOURCES)[KIND]


def rows_of(protocol, stage="all", fold=0, **more):
    return rows_of_protocol(
        NAMES,
        FIELDS,
        LABEL,
        SOURCE,
        protocol=protocol,
        stage=stage,
        test_fold=fold,
        num_folds=5,
        seed=0,
        **more,
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_sources_that_only_train_do_so_in_every_fold(protocol):
    only = np.flatnonzero(SOURCE == "catalogue")
    for fold in range(5):
        before = rows_of(protocol, fold=fold)
        rows = rows_of(protocol, fold=fold, only_training=("catalogue",))
        assert set(only) <= set(rows["train"])
        for split in ("validation", "test"):
            kept = np.setdiff1d(before[split], only)
            np.testing.assert_array_equal(rows[split], kept)
        others = np.setdiff1d(rows["train"], only)
        np.testing.assert_array_equal(others, np.setdiff1d(before["train"], only))


@pytest.mark.parametrize("stage", STAGES)
def test_honest_tested_fields_neither_train_nor_validate(stage):
    rows = rows_of("honest", stage)
    fields = [set(FIELDS[rows[split]]) for split in ("train", "validation", "test")]
    assert all(fields)
    assert not fields[0] & fields[1]
    assert not fields[0] & fields[2]
    assert not fields[1] & fields[2]


@pytest.mark.parametrize("stage", STAGES)
def test_published_tested_objects_validate_and_do_not_train(stage):
    rows = rows_of("published", stage)
    np.testing.assert_array_equal(rows["test"], rows["validation"])
    assert not set(rows["train"]) & set(rows["test"])
    assert "photometric" not in SOURCE[rows["test"]]


def test_published_photometric_types_train_in_every_fold():
    everyone = set(np.flatnonzero(SOURCE == "photometric"))
    for fold in range(5):
        train = set(rows_of("published", "photometric", fold)["train"])
        assert everyone <= train


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_stages_are_disjoint_and_complete(protocol):
    whole = rows_of(protocol)["train"]
    early = rows_of(protocol, "photometric")["train"]
    late = rows_of(protocol, "confirmed")["train"]
    unlabelled = set(whole[LABEL[whole] == "Unknown"])
    assert set(early) & set(late) == unlabelled
    assert set(early) | set(late) == set(whole)
    assert set(SOURCE[early][LABEL[early] == "SNIa"]) == {"photometric"}
    assert set(SOURCE[late][LABEL[late] == "SNIa"]) == {"spectroscopic"}
    for name in ("AGN", "Variable"):  # one half each
        halves = (LABEL[early] == name).sum(), (LABEL[late] == name).sum()
        assert abs(halves[0] - halves[1]) < 5 * np.sqrt(sum(halves))


def test_the_stage_of_an_object_does_not_depend_on_the_others():
    some = generator.permutation(OBJECTS)[:500]
    for stage in STAGES:
        of_all = in_stage(NAMES, LABEL, SOURCE, stage=stage)[some]
        of_some = in_stage(NAMES[some], LABEL[some], SOURCE[some], stage=stage)
        np.testing.assert_array_equal(of_all, of_some)


def test_unknown_names_and_a_stage_without_labels_are_errors():
    with pytest.raises(ValueError, match=r"No protocol 'fair'. Known: honest, pub"):
        rows_of("fair")
    with pytest.raises(ValueError, match=r"No stage 'first'. Known: all, photometric"):
        rows_of("honest", "first")
    with pytest.raises(
        ValueError, match=r"Stage 'photometric', but no label is photometric"
    ):
        rows_of_protocol(
            NAMES,
            FIELDS,
            LABEL,
            np.full(OBJECTS, "none"),
            protocol="honest",
            stage="photometric",
            test_fold=0,
            num_folds=5,
            seed=0,
        )
