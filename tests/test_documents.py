"""Python in README and docs runs as printed, on the smallest data sets."""

import os
import re
import shutil

import matplotlib
import pytest
from support import commands

DOCUMENTS = sorted({*commands.ROOT.glob("*.md"), *commands.ROOT.glob("docs/**/*.md")})
WITH_PYTHON = [path for path in DOCUMENTS if "```python" in path.read_text()]
NAMES = [path.relative_to(commands.ROOT).as_posix() for path in WITH_PYTHON]


def python_of(path) -> str:
    """All Python of a document, in its order, as a reader would type it."""
    return "\n".join(re.findall(r"(?ms)^```python\n(.*?)^```", path.read_text()))


@pytest.fixture
def notebook(tmp_path, monkeypatch, trained, raw_objects, data_dir):
    """A folder that holds what the documents name: a run and new raw objects."""
    monkeypatch.setenv("TFDS_DATA_DIR", data_dir)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    shutil.copytree(trained[0], tmp_path / "runs/semiconformer")
    shutil.copy(raw_objects, tmp_path / "new_objects.npz")
    matplotlib.use("agg")
    return tmp_path


def test_readme_has_python_to_load_a_run_and_to_predict():
    readme = python_of(commands.ROOT / "README.md")
    assert "jaxastro.load(" in readme
    assert "run.predict(" in readme


@pytest.mark.parametrize("path", WITH_PYTHON, ids=NAMES)
def test_python_in_a_document_runs_as_printed(path, notebook):
    code = python_of(path).replace("sdss_sn_sim/laptop", "sdss_sn_sim/tiny")
    if "read_field_logs" in code and "JAXASTRO_DATA" not in os.environ:
        pytest.skip("JAXASTRO_DATA is not set: no observing log of HiTS to read")
    names = given_names(path.name, notebook)
    exec(compile(code, str(path), "exec"), names)


def given_names(document: str, folder) -> dict:
    """What the text of a document says that the reader has before its code."""
    import data_builders

    if document == "photometry.md":
        return {"record": data_builders.load("sdss_sn_sim/tiny")[0]}
    if document == "schema.md":
        done = commands.python(
            "-m",
            "data_builders",
            "export",
            "sdss_sn_sim/tiny",
            f"--output={folder / 'FOLDER'}",
        )
        assert done.code == 0, done.stderr
    return {}
