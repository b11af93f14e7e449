"""A user's folder of images, from the table to predictions."""

import csv

import numpy as np
import pytest
from support import commands
from support.runs import smoke

from jaxastro.runs.task import read_task, select_survey
from jaxastro.surveys import survey_of

CLASSES = ("steady", "rising")


def write_folder(folder, *, objects, bands="gr", seed=0):
    """Stars of two kinds, each in six frames, as files and a table."""
    folder.mkdir()
    rng, rows = np.random.default_rng(seed), ["object,file,mjd,band,label"]
    y, x = np.mgrid[-10:11, -10:11]
    star = np.exp(-(x**2 + y**2) / 8)
    for i in range(objects):
        label = CLASSES[i % 2]
        light = np.array([200.0] * 6 if label == "steady" else range(0, 360, 60))
        noise = rng.normal(100, 3, (6, 21, 21))
        np.save(
            folder / f"s{i}.npy", (noise + light[:, None, None] * star).astype("f4")
        )
        for t in range(6):
            band = bands[t % len(bands)]
            rows.append(f"s{i},s{i}.npy,{59000.5 + t},{band},{label}")
    (folder / "objects.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def own_run(tmp_path_factory, data_dir):
    """A run trained on a user's folder."""
    top = tmp_path_factory.mktemp("own")
    folder, workdir = write_folder(top / "images", objects=60), top / "run"
    done = commands.run(
        "train",
        "--config=configs/convention.py:smoke",
        "--config.survey=image_folder/user_images",
        f"--config.classes={CLASSES}",
        workdir=workdir,
        data_dir=data_dir,
        manual_dir=folder,
    )
    assert done.code == 0, done.stderr
    return workdir


def test_a_run_remembers_the_facts_of_a_survey_that_no_file_of_ours_names(own_run):
    survey = read_task(own_run).survey
    assert survey.bands == ("g", "r")
    assert survey.classes == tuple(sorted(CLASSES))
    assert survey.image_size == 21


def test_new_images_are_read_with_the_bands_of_the_run(own_run, tmp_path):
    new = write_folder(tmp_path / "new", objects=4, bands="r", seed=1)
    output = tmp_path / "new.csv"
    done = commands.run("predict", workdir=own_run, input=new, output=output)
    assert done.code == 0, done.stderr
    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["object_id"] for row in rows] == ["s0", "s1", "s2", "s3"]
    assert set(rows[0]) == {"object_id", "predicted", *(f"p_{c}" for c in CLASSES)}


def test_a_survey_without_images_is_refused_in_words():
    spec = smoke(survey="asas")
    with pytest.raises(ValueError, match="Survey asas holds records of kind 'light_cu"):
        select_survey(spec, survey_of("asas"))
