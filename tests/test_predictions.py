"""The file of predictions: what is saved is loaded, and faults are errors."""

import numpy as np
import pytest
from support.predictions import make_predictions, take_objects

from jaxastro.evaluation.predictions import (
    Predictions,
    load,
    no_early_evaluations,
    save,
)


def assert_same(a, b):
    if hasattr(a, "_asdict"):
        a, b = a._asdict(), b._asdict()
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for name in a:
            assert_same(a[name], b[name])
    elif isinstance(a, np.ndarray) and a.dtype.kind == "f":
        np.testing.assert_allclose(a, b)
    else:
        np.testing.assert_array_equal(a, b)


def test_what_is_saved_is_loaded(tmp_path):
    given = make_predictions(30)
    ids = [f"objet n°{i} μ 星 <b>" for i in range(30)]
    given = given._replace(object_id=np.array(ids), title="été $x$")
    assert save(given, tmp_path / "new").name == "predictions.npz"
    found = load(tmp_path / "new")
    for name in Predictions._fields:
        assert_same(getattr(given, name), getattr(found, name))
    assert found.label.dtype == np.int32
    assert found.probability.dtype == np.float32


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    save(make_predictions(20), tmp_path)

    def fails(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fails)
    with pytest.raises(OSError, match="disk full"):
        save(make_predictions(10), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.npz"]
    assert len(load(tmp_path).label) == 20


def test_predictions_without_shown_objects_and_early_evaluations_are_valid(tmp_path):
    given = take_objects(make_predictions(12), range(5))
    given = given._replace(**no_early_evaluations(given.probability, given.spread))
    save(given, tmp_path)
    found = load(tmp_path)
    assert len(found.shown) == len(found.early_epochs) == len(found.early_days) == 0


def test_missing_optional_fields_are_empty(tmp_path):
    path = save(make_predictions(20), tmp_path)
    younger = ("spread", "early_spread", "detected", "early_days")
    younger += ("early_days_probability",)
    with np.load(path) as file:
        older = {name: file[name] for name in file if name not in younger}
    np.savez(path, **older)
    found, evaluations = load(tmp_path), len(older["early_epochs"])
    assert found.spread.shape == (20, 0)
    assert found.early_spread.shape == (evaluations, 20, 0)
    assert found.early_days_probability.shape == (0, 0, 4)
    np.testing.assert_array_equal(found.probability, older["probability"])
    save(found, tmp_path / "again")  # it is valid and can be saved again
    for name in Predictions._fields:
        assert_same(getattr(found, name), getattr(load(tmp_path / "again"), name))
    del older["probability"]
    np.savez(path, **older)
    with pytest.raises(ValueError, match=r"fields .*probability.* missing"):
        load(tmp_path)


def test_missing_damaged_and_foreign_files_are_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"jaxastro evaluate --workdir=RUN"):
        load(tmp_path)
    path = tmp_path / "predictions.npz"
    path.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(ValueError, match="cannot be read"):
        load(tmp_path)
    np.savez(path, label=np.zeros(3), colour=np.zeros(3))
    with pytest.raises(
        ValueError, match=r"fields bands, .*colour.* missing or unknown"
    ):
        load(tmp_path)
    np.savez(path, label=np.array([{}], object))
    with pytest.raises(ValueError, match="cannot be read"):  # a pickle is not opened
        load(tmp_path)


def spoiled(field, row, value):
    p = make_predictions(20)
    array = np.array(getattr(p, field))
    array[row] = value
    return p._replace(**{field: array})


def of_band_five():
    p = make_predictions(20)
    band = np.full_like(p.shown_inputs["band"], 5)
    return p._replace(shown_inputs=p.shown_inputs | {"band": band})


@pytest.mark.parametrize(
    ("predictions", "message"),
    [
        (spoiled("probability", 7, np.nan), "SN00007: probability is not a number"),
        (spoiled("probability", 7, 0.9), "SN00007: probability .* not a distribution"),
        (spoiled("embedding", 3, np.inf), "SN00003: embedding is not a number"),
        (
            spoiled("early_probability", 1, np.nan),
            "SN00000: probability after 4 epochs",
        ),
        (spoiled("spread", 7, 0.7), "SN00007: spread .* not a standard deviation"),
        (spoiled("early_spread", 1, -0.1), "SN00000: spread after 4 epochs"),
        (spoiled("detected", 0, -1), "detected holds row -1, but there are 20 objects"),
        (
            spoiled("early_days_probability", (2, 0), np.nan),
            f"SN{make_predictions(20).detected[0]:05d}: probability after 4 days",
        ),
        (spoiled("label", 4, 9), "SN00004: label 9, but .* 0 to 3"),
        (spoiled("object_id", 4, "SN00005"), "SN00005 appears 2 times"),
        (spoiled("shown", 0, 20), "row 20, but there are 20 objects"),
        (of_band_five(), "band 5 of an epoch that is shown"),
    ],
)
def test_error_messages_name_the_object(tmp_path, predictions, message):
    with pytest.raises(ValueError, match=message):
        save(predictions, tmp_path)


def test_shapes_are_checked(tmp_path):
    p = make_predictions(20)
    with pytest.raises(ValueError, match=r"label has shape \(19,\), but 20 objects"):
        save(p._replace(label=p.label[1:]), tmp_path)
    with pytest.raises(ValueError, match="0 objects over 4 classes"):
        save(take_objects(p, np.zeros(0, int)), tmp_path)
