import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import data_builders
from data_builders.engine.builder import REPORT_FILE, survey_of_built
from data_builders.own_data import image_folder
from jaxastro.data.record import record_from_example
from jaxastro.data.survey_json import survey_from_json, survey_to_json
from jaxastro.surveys import SURVEYS

CARD = Path(image_folder.__file__).with_suffix(".md")
IMAGES = np.random.default_rng(0).normal(100, 5, (12, 9, 9)).astype(np.float32)


def write_table(folder, rows, **columns):
    """One row per epoch; further columns hold a cell per row."""
    header = ["object", "file", "mjd", "band", "label", *columns]
    lines = [",".join(header)]
    for row, *more in zip(rows, *columns.values(), strict=True):
        lines.append(",".join(map(str, (*row, *more))))
    (folder / "objects.csv").write_text("\n".join(lines))


def three_stars(folder):
    """Three objects of four epochs: FITS files, an npy cube, an npz cube."""
    rows = []
    for t in range(4):
        fits.writeto(folder / f"one{t}.fits", IMAGES[t])
        rows.append(("one", f"one{t}.fits", 59000.123456789 + t, "gr"[t % 2], "EB"))
    np.save(folder / "two.npy", IMAGES[4:8])
    np.savez(folder / "three.npz", flux=IMAGES[8:], other=np.zeros(3))
    rows += [("two", "two.npy", 59000.5 + t, "r", "RRLyrae") for t in range(4)]
    rows += [("three", "three.npz", 59000.5 + t, "g", "") for t in range(4)]
    write_table(folder, rows, hdu=["", *7 * [""], *4 * ["flux"]])
    return folder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"


def build(folder, name="image_folder/stars", **kwargs):
    builder = tfds.builder(name, data_dir=folder.parent / "built", **kwargs)
    config = tfds.download.DownloadConfig(manual_dir=folder)
    builder.download_and_prepare(download_config=config)
    return builder


def records_of(builder):
    records = map(record_from_example, builder.as_data_source("all"))
    return {record.object_id: record for record in records}


def only_note(folder):
    """The sentence on the one object that is set aside."""
    (note,) = (r.notes[0] for r in image_folder.read(folder) if r.record is None)
    return note


# -- what comes back -------------------------------------------------------------------


def test_the_example_of_the_data_card_runs(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", CARD.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert "('EB', 'RRLyrae')" in capsys.readouterr().out


def test_pixels_times_and_bands_come_back_bit_for_bit(folder):
    records = records_of(build(three_stars(folder)))
    for i, name in enumerate(("one", "two", "three")):
        np.testing.assert_array_equal(records[name].flux, IMAGES[4 * i : 4 * i + 4])
    assert records["one"].mjd.tolist() == [59000.123456789 + t for t in range(4)]
    assert records["one"].band.tolist() == [0, 1, 0, 1]
    assert records["two"].band.tolist() == [1, 1, 1, 1]
    labels = {name: (r.label, r.label_source) for name, r in records.items()}
    assert labels == {
        "one": ("EB", "catalogue"),
        "two": ("RRLyrae", "catalogue"),
        "three": ("Unknown", "none"),
    }


def test_a_built_data_set_is_opened_by_name_without_its_folder(folder):
    built = build(three_stars(folder))
    for path in folder.iterdir():
        path.unlink()
    # Several processes need the second way.
    for kwargs in ({}, {"processes": 2}):
        builder = tfds.builder(
            "image_folder/stars", data_dir=folder.parent / "built", **kwargs
        )
        assert len(builder.as_data_source("all")) == 3
        survey = survey_of_built(builder.data_dir)
        assert survey.name == "stars"
        assert survey.bands == ("g", "r")
        assert survey.classes == ("EB", "RRLyrae")
        assert survey.image_size == 9
    assert builder.data_dir == built.data_dir


def test_several_processes_build_the_same(folder, tmp_path):
    rows = []
    for i in range(40):
        np.save(folder / f"{i}.npy", IMAGES[i % 12])
        rows.append((f"star{i}", f"{i}.npy", 59000 + i, "g", "EB"))
    write_table(folder, rows)
    one = records_of(build(folder))
    two = records_of(build(folder, "image_folder/again", processes=2))
    assert len(one) == 40
    for name, record in one.items():
        np.testing.assert_array_equal(record.flux, two[name].flux)


def test_several_data_sets_share_a_folder(tmp_path):
    for name, size in (("first", 9), ("second", 5)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "a.npy", IMAGES[0, :size, :size])
        write_table(tmp_path / name, [("a", "a.npy", 59000, "g", "EB")])
        builder = tfds.builder(f"image_folder/{name}", data_dir=tmp_path / "built")
        config = tfds.download.DownloadConfig(manual_dir=tmp_path)  # the folder above
        builder.download_and_prepare(download_config=config)
        assert builder.survey.image_size == size
    config = image_folder.ImageFolderConfig(name="third", folder=tmp_path / "first")
    builder = tfds.builder("image_folder", config=config, data_dir=tmp_path / "built")
    builder.download_and_prepare()
    assert set(records_of(builder)) == {"a"}


def test_columns_reach_the_record(folder):
    np.save(folder / "a.npy", IMAGES[:2])
    write_table(
        folder,
        [("a", "a.npy", 59001, "g", "EB"), ("a", "a.npy", 59000, "r", "EB")],
        ra=[10.5, ""],
        dec=[-2, -2],
        redshift=["", ""],
        group=["field7", ""],
        label_source=["spectroscopic", ""],
        psf_fwhm=[1.5, ""],
        zero_point=[25, 26],
        index=[1, 0],
        airmass=[1, 2],
    )
    ((_, record, notes, _),) = image_folder.read(folder)
    assert (record.ra, record.dec, record.group) == (10.5, -2, "field7")
    assert np.isnan(record.redshift)
    assert record.label_source == "spectroscopic"
    np.testing.assert_array_equal(record.flux, IMAGES[:2])  # by time
    np.testing.assert_array_equal(record.psf_fwhm, [np.nan, 1.5])
    assert record.zero_point.tolist() == [26, 25]
    assert notes == ("epochs were out of order: sorted by time.",)


def test_new_objects_are_read_with_the_bands_of_the_model(folder):
    np.save(folder / "a.npy", IMAGES[0])
    write_table(folder, [("a", "a.npy", 59000, "r", "")])
    ((_, alone, _, _),) = image_folder.read(folder)
    known = SURVEYS["image_folder"]._replace(bands=("g", "r"), classes=("EB",))
    ((_, record, _, _),) = image_folder.read(folder, survey=known)
    assert (alone.band.tolist(), record.band.tolist()) == ([0], [1])


def test_survey_json_in_the_folder_holds(folder):
    np.save(folder / "a.npy", IMAGES[0])
    np.save(folder / "b.npy", IMAGES[1, :5, :5])
    rows = [("a", "a.npy", 59000, "r", "SN"), ("b", "b.npy", 59000, "r", "EB")]
    write_table(folder, rows)
    facts = {"bands": ["g", "r"], "classes": ["SN"], "pixel_scale": 1, "unit": "ADU"}
    (folder / "survey.json").write_text(json.dumps(facts | {"sentinels": [-9]}))
    assert "unknown class 'EB'. raw has SN, Unknown" in only_note(folder)
    survey = build(folder).survey
    assert survey.bands == ("g", "r")
    assert (survey.classes, survey.unit, survey.pixel_scale) == (("SN",), "ADU", 1.0)
    assert survey.sentinels == (-9.0,)
    assert survey.image_size == 0  # the objects differ


def test_facts_of_every_survey_survive_json():
    for survey in SURVEYS.values():
        again = survey_from_json(
            survey_to_json(survey), otherwise=SURVEYS["sdss_sn_sim"]
        )
        assert repr(again) == repr(survey)  # NaN is not equal to itself


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting property name"),
        ("[1]", "A survey has no fact"),
        ('{"pixelscale": 1}', "A survey has no fact 'pixelscale'. Known: name"),
        ('{"bands": "gr"}', "bands is 'gr', which has the wrong type"),
        ('{"image_size": 2.5}', "image_size is 2.5"),
        ('{"image_size": true}', "image_size is True"),
        ('{"bands": ["g"], "wavelength": [1, 2]}', "2 wavelengths for 1 bands"),
        ('{"valid_range": [1]}', "1 ends of valid_range"),
        ('{"kind": "cutout"}', "kind is 'cutout'"),
    ],
)
def test_facts_that_are_none_are_refused(folder, text, message):
    np.save(folder / "a.npy", IMAGES[0])
    write_table(folder, [("a", "a.npy", 59000, "r", "SN")])
    (folder / "survey.json").write_text(text)
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        list(image_folder.read(folder))
    assert "survey.json" in str(error.value)


# -- what is set aside -----------------------------------------------------------------


def test_a_bad_object_costs_no_other(folder):
    three_stars(folder)
    (folder / "one2.fits").write_bytes(b"SIMPLE")
    builder = build(folder)
    assert set(records_of(builder)) == {"two", "three"}
    report = json.loads((Path(builder.data_dir) / REPORT_FILE).read_text())
    assert report["objects_set_aside"] == 1
    assert "'one' (objects.csv, line 2): one2.fits: " in report["set_aside"]["one"][0]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"file": "../secret.npy"}, "'../secret.npy' is outside the folder"),
        ({"file": "sub/../a.npy"}, "'sub/../a.npy' is outside the folder"),
        ({"file": "{above}/secret.npy"}, "is outside the folder"),
        ({"file": "link.npy"}, "'link.npy' is outside the folder"),
        ({"file": "up/secret.npy"}, "'up/secret.npy' is outside the folder"),
        ({"file": "gone.npy"}, "'gone.npy' is no file in the folder"),
        ({"file": "loop.npy"}, "'loop.npy' is no file in the folder"),
        ({"file": ""}, "'' is no file in the folder"),
        ({"file": "words.txt"}, "its suffix is none of .fits"),
        ({"object": "=1+1"}, "its name is '=1+1'"),
        ({"object": "+cmd"}, "a spreadsheet would run it as a formula"),
        ({"object": "-cmd"}, "a spreadsheet would run it as a formula"),
        ({"object": "@sum"}, "a spreadsheet would run it as a formula"),
        ({"object": ""}, "its name is ''"),
        ({"object": "a\u202eb"}, "its name is 'a\\u202eb'"),
        ({"label": "=EB"}, "its label is '=EB'"),
        ({"mjd": "2459000.5"}, "Subtract 2400000.5"),
        ({"mjd": "today"}, "mjd is 'today'. A number"),
        ({"mjd": ""}, "1 of 1 observation times are not numbers"),
        ({"band": "=g"}, "unknown band '=g'"),
        ({"ra": "1,2"}, "has 10 cells, the header 9"),
        ({"label_source": "me"}, "unknown label source 'me'"),
        ({"index": "1"}, "frame 1 of a.npy, which has 1"),
        ({"index": "-1"}, "frame -1 of a.npy"),
        ({"file": "cube.npy"}, "1 rows for cube.npy, which has 3 frames"),
        ({"file": "cube.npy", "index": "3"}, "frame 3 of cube.npy, which has 3"),
        ({"file": "flat.npy"}, r"cutouts of shape (1, 9, 8)"),
    ],
)
def test_faults_of_objects_are_noted(folder, cells, message):
    np.save(folder.parent / "secret.npy", IMAGES[0])
    np.save(folder / "a.npy", IMAGES[0])
    np.save(folder / "cube.npy", IMAGES[:3])
    np.save(folder / "flat.npy", IMAGES[0, :, :8])
    (folder / "words.txt").write_text("words")
    (folder / "link.npy").symlink_to(folder.parent / "secret.npy")
    (folder / "up").symlink_to(folder.parent)
    (folder / "loop.npy").symlink_to(folder / "loop.npy")
    good = {"object": "a", "file": "a.npy", "mjd": "59000", "band": "g", "label": "EB"}
    good |= dict.fromkeys(("label_source", "ra", "hdu", "index"), "")
    row = good | cells
    row["file"] = row["file"].format(above=folder.parent)
    rows = [",".join(cells.values()) for cells in (good | {"object": "fine"}, row)]
    (folder / "objects.csv").write_text("\n".join([",".join(good), *rows]))
    readings = list(image_folder.read(folder))
    assert readings[0].object_id == "fine"
    assert readings[0].record is not None
    note = only_note(folder)
    assert message in note
    assert note.endswith(".")
    assert "objects.csv, line 3" in note


def test_rows_of_an_object_must_agree(folder):
    np.save(folder / "a.npy", IMAGES[:2])
    np.save(folder / "b.npy", IMAGES[0, :5, :5])
    rows = [("a", "a.npy", 59000, "g", "EB"), ("a", "a.npy", 59001, "g", "SN")]
    write_table(folder, rows)
    assert "label is EB and SN. An object has one" in only_note(folder)
    rows = [("a", "a.npy", 59000 + t, "g", "EB") for t in range(2)]
    write_table(folder, [*rows, ("a", "b.npy", 59002, "g", "EB")])
    assert "images of shape (5, 5) and (9, 9)" in only_note(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no column 'object'"),
        (b"object,file,mjd,band", "no row"),
        (b"object;file;mjd;band\na;b;c;d", "no column 'object'"),
        (b"object,file,mjd\na,b,c", "no column 'band'"),
        (b"object,file,mjd,band,mjd\na,b,c,d,e", "two columns 'mjd'"),
        (b"object,file,mjd,band\n\xff,b,c,d", "Save it as CSV UTF-8"),
        (b'object,file,mjd,band\n"a,b,c,d', "Save it as CSV UTF-8"),
    ],
)
def test_a_table_that_is_none_is_refused(folder, content, message):
    (folder / "objects.csv").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        list(image_folder.read(folder))


def test_a_missing_folder_is_an_error(tmp_path, monkeypatch):
    monkeypatch.delenv("JAXASTRO_DATA", raising=False)
    builder = tfds.builder("image_folder/stars", data_dir=tmp_path)
    with pytest.raises(FileNotFoundError, match=r"stars/objects.csv; searched"):
        builder.parts(tmp_path)
    builder = tfds.builder("image_folder", data_dir=tmp_path)
    with pytest.raises(ValueError, match="Write image_folder/NAME"):
        builder.parts(tmp_path)


def test_only_a_folder_of_images_is_recognised(folder, tmp_path):
    assert not image_folder.recognises(folder)
    assert image_folder.recognises(three_stars(folder))
    assert not image_folder.recognises(folder / "objects.csv")
    (folder / "objects.csv").write_bytes(b"\xff\x00\n")
    assert not image_folder.recognises(folder)
    assert data_builders.reader_of("image_folder") is image_folder.read


def test_an_object_of_too_many_pixels_is_set_aside(folder, monkeypatch):
    three_stars(folder)
    monkeypatch.setattr(image_folder, "MAX_PIXELS", 3 * 81)
    notes = [r.notes for r in image_folder.read(folder)]
    assert all("more than 243 pixels" in note for (note,) in notes)


def read_or_refuse(folder):
    try:
        return list(image_folder.read(folder))
    except ValueError as refusal:
        return str(refusal)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_no_object_of_a_random_table_is_lost(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "wild_table"
    folder.mkdir(exist_ok=True)
    np.save(folder / "a.npy", IMAGES[0])
    cell = st.one_of(
        st.sampled_from(["a", "a.npy", "59000", "g", "", "nan", "inf", "0", "=1", '"']),
        st.text(max_size=8),
    )
    row = st.lists(cell, min_size=3, max_size=7)
    rows = data.draw(st.lists(row, min_size=1, max_size=5))
    lines = [",".join(r) for r in rows]
    text = "\n".join(["object,file,mjd,band,index", "fine,a.npy,59000,g,", *lines])
    (folder / "objects.csv").write_text(text, encoding="utf-8", errors="replace")
    readings = read_or_refuse(folder)
    if isinstance(readings, str):
        assert "objects.csv" in readings
        return
    names = [reading.object_id for reading in readings]
    assert len(set(names)) == len(names) >= 1
    for reading in readings:
        assert reading.record is not None or reading.notes


def test_every_column_of_the_reader_is_on_the_card():
    text = CARD.read_text()
    columns = itertools.chain(
        image_folder.REQUIRED,
        image_folder.OF_OBJECTS,
        image_folder.OF_EPOCHS,
        image_folder.OF_FILES,
    )
    listed = set(re.findall(r"^\| ([\w ]+) \|", text, re.MULTILINE))
    words = set(" ".join(listed).split())
    assert set(columns) <= words
