import builtins
import collections
import sys

import h5py
import numpy as np
import pytest
import tensorflow_datasets as tfds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from data_builders.sdss import sdss_handscan
from data_builders.sdss.sdss_handscan import binary_class, visual_class
from jaxastro.data.cutout import CutoutRecord
from jaxastro.data.record import record_from_example

CLASSES = sdss_handscan.SURVEY.classes


def images(count):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 69, 69, 3)).astype(np.uint8)


def write_hdf5(folder, **changed):
    """As the published notebook reads it."""
    path = folder / sdss_handscan.RAW_FILE
    arrays = {"images": images(12), "classes": np.arange(12) % 10} | changed
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            if array is not None:
                file[name] = array
    return path


def write_pictures(folder):
    for number, (suffix, label) in enumerate(
        zip(("png", "gif", "jpg", "jpeg"), CLASSES[::3], strict=True)
    ):
        (folder / label).mkdir()
        grey = images(1)[0, :, :, :1].repeat(3, axis=2)  # a GIF has 256 colours
        Image.fromarray(grey).save(folder / label / f"sn{number}.{suffix}")
    return grey


def test_pixels_and_classes_come_back(tmp_path):
    readings = list(sdss_handscan.read(write_hdf5(tmp_path)))
    for number, (image, reading) in enumerate(zip(images(12), readings, strict=True)):
        assert reading.object_id == f"image{number:05d}"
        np.testing.assert_array_equal(reading.record.image, image)
        assert reading.record.label == CLASSES[number % 10]


def test_pictures_come_back_from_folders_named_after_classes(tmp_path):
    grey = write_pictures(tmp_path)
    records = {r.object_id: r.record for r in sdss_handscan.read(tmp_path)}
    labels = [records[f"sn{number}"].label for number in range(4)]
    assert labels == ["Artefact", "Moving", "SN Other", "SN Gold"]
    for name in ("sn0", "sn1"):  # PNG and GIF lose nothing
        np.testing.assert_array_equal(records[name].image, grey)
    assert abs(records["sn2"].image - grey).mean() < 40


def test_equal_images_stay_in_one_fold(tmp_path):
    several = images(12)
    several[7] = several[2]
    groups = [
        reading.record.group
        for reading in sdss_handscan.read(write_hdf5(tmp_path, images=several))
    ]
    assert groups[7] == groups[2]
    assert len(set(groups)) == 11


def test_groupings_are_those_of_the_published_table():
    table = {label: (visual_class(label), binary_class(label)) for label in CLASSES}
    assert table == {
        "Artefact": ("Artefact", "Not-Real"),
        "Dipole": ("Dipole/Saturated", "Not-Real"),
        "Saturated Star": ("Dipole/Saturated", "Not-Real"),
        **dict.fromkeys(CLASSES[3:], ("Real", "Real")),
    }


def test_images_come_back_through_the_data_set(tmp_path, monkeypatch):
    monkeypatch.setattr(sdss_handscan, "PART_SIZE", 5)
    write_hdf5(tmp_path)
    builder = sdss_handscan.SdssHandscan(data_dir=tmp_path / "built", processes=2)
    config = tfds.download.DownloadConfig(manual_dir=tmp_path)
    builder.download_and_prepare(download_config=config)
    built = [
        record_from_example(e, CutoutRecord) for e in builder.as_data_source("all")
    ]
    assert collections.Counter(r.label for r in built) == {
        label: 2 if label in CLASSES[:2] else 1 for label in CLASSES
    }
    for record in built:
        np.testing.assert_array_equal(
            record.image, images(12)[int(record.object_id[5:])]
        )


def test_a_bad_image_costs_no_other(tmp_path):
    path = write_hdf5(tmp_path, classes=np.array([*range(10), 10, -1]))
    readings = list(sdss_handscan.read(path))
    assert [r.record is None for r in readings] == [*10 * [False], True, True]
    assert "class number 10; known are Artefact" in readings[10].notes[0]
    path.unlink()
    write_pictures(tmp_path)
    Image.new("RGB", (70, 69)).save(tmp_path / "Moving" / "wide.png")
    (tmp_path / "Moving" / "words.png").write_text("words")
    notes = {r.object_id: r.notes for r in sdss_handscan.read(tmp_path) if r.notes}
    assert set(notes) == {"wide", "words"}
    assert "an image of (70, 69) pixels" in notes["wide"][0]
    assert "words.png: damaged: UnidentifiedImageError" in notes["words"][0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"classes": None}, "KeyError"),
        ({"classes": np.zeros(12)}, r"classes \(12,\)"),
        ({"classes": np.zeros(11, int)}, r"classes \(11,\)"),
        ({"images": np.zeros((12, 69, 69))}, r"images \(12, 69, 69\)"),
        ({"images": np.zeros((12, 69, 69, 3), bool)}, r"images \(12, 69, 69, 3\)"),
    ],
)
def test_a_bad_file_is_an_error_with_a_message(tmp_path, changed, message):
    path = write_hdf5(tmp_path, **changed)
    with pytest.raises(ValueError, match=message):
        list(sdss_handscan.read(path))


def test_without_h5py_the_message_has_the_command_to_install_it(tmp_path, monkeypatch):
    path = write_hdf5(tmp_path)
    monkeypatch.delitem(sys.modules, "h5py")
    real_import = builtins.__import__

    def without_h5py(name, *args, **kwargs):
        if name == "h5py":
            raise ModuleNotFoundError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_h5py)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'jaxastro\[hdf5\]'"):
        list(sdss_handscan.read(path))


def test_files_are_recognised_and_missing_ones_are_errors(tmp_path, monkeypatch):
    assert not sdss_handscan.recognises(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"No sdss\.hdf5 in .* no image"):
        sdss_handscan.parts_of(tmp_path)
    monkeypatch.delenv("JAXASTRO_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="du Buisson"):
        sdss_handscan.SdssHandscan(data_dir=tmp_path).parts(None)
    write_pictures(tmp_path)
    assert sdss_handscan.recognises(tmp_path)
    assert sdss_handscan.recognises(write_hdf5(tmp_path))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_damaged_picture_is_read_or_set_aside(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "wild_pictures" / "Moving"
    folder.mkdir(parents=True, exist_ok=True)
    suffix = data.draw(st.sampled_from(("png", "gif", "jpg")))
    path = folder / f"wild.{suffix}"
    Image.fromarray(images(1)[0]).save(path)
    wild = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        wild[data.draw(st.integers(0, len(wild) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(wild[: data.draw(st.integers(9, len(wild)))]))
    (reading,) = sdss_handscan.read_part(sdss_handscan.Part(path))
    assert reading.record is not None or reading.notes
