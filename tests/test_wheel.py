"""The wheel alone, in an empty environment and another folder, does its work."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from support import commands


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment with the wheel, which sees the dependencies of the tests' own.

    The checkout itself cannot be seen from it: modules come from the wheel alone.
    """
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=commands.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (commands.ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(commands.ROOT / name, source / name)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet"]
    subprocess.run([*build, f"--wheel-dir={folder}", str(source)], check=True)
    (wheel,) = folder.glob("jaxastro-*.whl")
    venv.create(folder / "venv")
    python = folder / "venv/bin/python"
    site = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    packages = [path for path in sys.path if path.endswith("site-packages")]
    (Path(site) / "dependencies.pth").write_text("\n".join(packages))
    install = [sys.executable, "-m", "pip", "--python", python, "install"]
    options = ["--no-deps", "--quiet", "--force-reinstall"]
    subprocess.run([*install, *options, str(wheel)], check=True)
    return folder / "venv/bin"


@pytest.fixture
def elsewhere(installed, tmp_path, data_dir, trained, raw_objects):
    """Runs a program of the environment in a folder that is no checkout."""
    shutil.copytree(trained[0], tmp_path / "run")
    shutil.copy(raw_objects, tmp_path / "new.npz")

    def run(*words) -> str:
        environment = {
            name: value for name, value in os.environ.items() if name != "PYTHONPATH"
        }
        done = subprocess.run(
            [str(installed / words[0]), *map(str, words[1:])],
            cwd=tmp_path,
            env=environment | {"TFDS_DATA_DIR": data_dir},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run, tmp_path


@pytest.mark.slow
def test_the_wheel_alone_predicts_evaluates_reports_scores_and_describes(elsewhere):
    run, folder = elsewhere
    where = run("python", "-c", "import jaxastro; print(jaxastro.__file__)")
    assert Path(where.strip()).is_relative_to(folder.parents[0].parent)
    assert "wheel" in where
    assert "predict" in run("jaxastro", "--help")
    run("jaxastro", "predict", "--workdir=run", "--input=new.npz", "--output=new.csv")
    assert (folder / "new.csv").read_text().count("\n") == 6
    run("jaxastro", "evaluate", "--workdir=run")
    run("jaxastro", "report", "--workdir=run")
    assert (folder / "run/report/index.html").is_file()
    names = [line.split(",")[0] for line in (folder / "new.csv").read_text().split()]
    truth = ["object_id,label", *(f"{name},SNIa" for name in names[1:])]
    (folder / "truth.csv").write_text("\n".join(truth))
    table = ("--predictions=new.csv", "--truth=truth.csv")
    assert "classes" in run("jaxastro", "score", "--workdir=run", *table)
    found = json.loads(run("jaxastro", "describe", "--workdir=run", "--json"))
    assert found["parameters"] > 0
    assert "sdss_sn_sim" in run("jaxastro", "data", "list")
    program = (
        "import jaxastro, data_builders\n"
        "run = jaxastro.load('run')\n"
        "table = run.predict([data_builders.load('sdss_sn_sim/tiny')[0]])\n"
        "print(len(table), table.predicted[0] in run.classes)"
    )
    assert run("python", "-c", program).splitlines()[-1] == "1 True"
