"""What documents show exists: commands, links, and Python that runs as printed."""

import importlib.util
import os
import re
import shutil

import matplotlib
import pytest
from support import commands
from support.source_code import DOCUMENTS, check, name_of

import jaxastro
from jaxastro.runs.spec import RunSpec

WITH_PYTHON = [path for path in DOCUMENTS if "```python" in path.read_text()]
NAMES = [name_of(path) for path in WITH_PYTHON]
RAW_FOLDER = 'manual_dir="FOLDER"'  # the reader's folder of raw files


def test_commands_in_documents_exist():
    check(
        "The document names a module that does not exist.",
        (
            f"{name_of(path)}: python -m {module}"
            for path in DOCUMENTS
            for module in re.findall(r"python -m ([\w.]+)", path.read_text())
            if not importlib.util.find_spec(module)
        ),
    )


def test_links_in_documents_lead_to_files():
    check(
        "The link leads to no file.",
        (
            f"{name_of(path)}: {link}"
            for path in DOCUMENTS
            for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text())
            if not (path.parent / link).exists()
        ),
    )


def test_citation_is_of_this_version():
    citation = (commands.ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {jaxastro.__version__}\n" in citation


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
    # Small data sets: with those of the page the test would take half an hour.
    code = re.sub(r"\b(laptop|transfer)\b", "tiny", python_of(path))
    needs_raw_files = "read_field_logs" in code or RAW_FOLDER in code
    if needs_raw_files and "JAXASTRO_DATA" not in os.environ:
        pytest.skip("JAXASTRO_DATA is not set: no observing log of HiTS to read")
    code = code.replace(f", {RAW_FOLDER}", "")  # then JAXASTRO_DATA is searched
    names = given_names(path.name, notebook)
    exec(compile(code, str(path), "exec"), names)


def given_names(document: str, folder) -> dict:
    """Names that the text of a document defines before its code."""
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


def command_lines(path) -> list[str]:
    """Command lines of a document, in blocks and between backticks."""
    text = path.read_text().replace("\\\n", " ")
    blocks = re.findall(r"(?ms)^```bash\n(.*?)^```", text)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", text)
    started = re.compile(r"(?:.*&& )?((?:python -m|jaxastro) [\w.]+.*)")
    return [match[1] for line in lines if (match := started.match(line))]


def flags_of_program(words: list[str]) -> str | None:
    """The code that defines a command's flags; None for commands of others."""
    if words[0] == "jaxastro":
        words = ["data_builders", *words[2:]] if words[1] == "data" else words
        files = [f"jaxastro/commands/{words[1]}.py", "jaxastro/commands/settings.py"]
    else:
        words = words[2:]
        files = [f"{words[0].replace('.', '/')}.py", "benchmarks/result.py"]
    if words[0] == "data_builders":
        folder = commands.ROOT / "data_builders/commands"
        files = [path.relative_to(commands.ROOT) for path in folder.glob("*.py")]
    if words[0].startswith("experiments."):
        shared = ["experiments/command_line.py", "experiments/studies/command.py"]
        shared.append("experiments/studies/realism.py")
        name = words[0].removeprefix("experiments.")
        files += [*shared, f"jaxastro/commands/{name}.py"]
        files.append("jaxastro/commands/settings.py")
    known = [commands.ROOT / name for name in files]
    return "".join(path.read_text() for path in known if path.is_file()) or None


@pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: path.relative_to(commands.ROOT).as_posix()
)
def test_flags_of_commands_in_a_document_exist(path):
    wrong = []
    for line in command_lines(path):
        code = flags_of_program(line.split())
        for flag in re.findall(r" --([\w.]+)", line):
            if flag.startswith("config.") and "tables/" not in line:
                key = flag.removeprefix("config.")
                if not key.startswith(("model.args.", "method.args.")):
                    part = RunSpec()
                    for name in key.split("."):
                        if not hasattr(part, name):
                            wrong.append(f"--{flag} in: {line}")
                            break
                        part = getattr(part, name)
            elif not flag.startswith("config.") and code is not None:
                name = flag.removeprefix("no")
                if not re.search(rf"[\"'-](no)?{re.escape(name)}[\"']", code):
                    wrong.append(f"--{flag} in: {line}")
    assert not wrong, "\n".join(wrong)
