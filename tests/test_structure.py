"""The rules of the project's structure: sizes, names, imports, errors, documents.

Each rule is one test. It reads every file and reports all offenders at once. Which
package may import which is checked by import-linter, and further rules by ruff; the
settings of both are in pyproject.toml.
"""

import ast
import builtins
import importlib.util
import inspect
import re
import tomllib
import warnings
from pathlib import Path

import pytest
from support import commands
from support.source_code import (
    APPLICATIONS,
    CODE,
    LIBRARY,
    PYTHON,
    ROOT,
    TEXTS,
    check,
    imports_of,
    length_of,
    matches_of,
    module_of,
    name_of,
    nodes_of,
    tree_of,
    within,
)

from data_builders.registry import BUILDERS
from jaxastro.methods import METHODS
from jaxastro.models import MODELS
from jaxastro.reports import REPORTS
from jaxastro.representations import REPRESENTATIONS
from jaxastro.surveys import SURVEYS

HOST = (
    "jaxastro/types.py",
    "jaxastro/errors.py",
    "jaxastro/atomic_write.py",
    "jaxastro/units.py",
    "jaxastro/survey_columns.py",
    "jaxastro/surveys.py",
    "jaxastro/data/",
    "jaxastro/alerts/",
    "jaxastro/photometry/",
    "jaxastro/representations/",
    "jaxastro/simulation/",
    "jaxastro/evaluation/",
    "jaxastro/baselines/",
    "jaxastro/leakage/",
    "jaxastro/reports/",
    "data_builders/",
)
PURE = (  # of the device half: all but training/, which writes checkpoints
    "jaxastro/layers/",
    "jaxastro/augment.py",
    "jaxastro/losses.py",
    "jaxastro/models/",
    "jaxastro/methods/",
)
MAY_LOAD_JAX = (  # of the host half; other files import these inside functions
    "jaxastro/data/loader.py",  # grain imports JAX
    "jaxastro/photometry/heat_map.py",  # fits many Gaussian processes at once
)
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "core", "lib"}
HOMES = {  # package -> the only files that may import it
    "apache_beam": ("data_builders/", "tests/"),
    "fastavro": (
        "jaxastro/alerts/",
        "jaxastro/runs/prediction_table.py",
        "benchmarks/",
        "tests/",
    ),
    "flax": ("jaxastro/layers/", "jaxastro/models/", "jaxastro/methods/", "tests/"),
    "grain": ("jaxastro/data/",),
    "light_curve": (
        "jaxastro/representations/",
        "jaxastro/baselines/features.py",
        "benchmarks/",
        "tests/",
        "jaxastro/photometry/period.py",
    ),
    "matplotlib": ("jaxastro/reports/", "tests/"),
    "ml_collections": ("configs/", "experiments/", "tests/", "jaxastro/runs/"),
    "orbax": ("jaxastro/training/checkpoint.py",),
    "pooch": ("data_builders/",),
    "pyarrow": (
        "data_builders/",
        "jaxastro/alerts/container.py",  # for the Snappy codec
        "jaxastro/data/text_table.py",  # for large CSV files
        "jaxastro/runs/prediction_table.py",
        "benchmarks/",
        "experiments/studies/",
        "tests/",
    ),
    "tensorboardX": ("jaxastro/training/scalars.py",),
    "tensorflow": (),
    "tensorflow_datasets": ("data_builders/", "tests/"),
    "tinygp": ("tests/",),
    "torch": ("benchmarks/", "tests/"),
}
IMPORT_NAMES = {  # distribution -> what is imported, where the names differ
    "absl-py": "absl",
    "ml-collections": "ml_collections",
    "orbax-checkpoint": "orbax",
    "pillow": "PIL",
    "pyerfa": "erfa",
    "scikit-learn": "sklearn",
}
WITHOUT_SOURCE = {"equal_weight", "weighted_sum"}  # arithmetic that needs no citation
# Words that puzzle a reader -> the plain term. They are searched in names and texts.
BANNED_WORDS = {
    r"told|asked": "given, passed, printed or requested",
    r"said": "predicted, or printed",
    r"looks?(?! (like|up))": "evaluation, or reads",
    r"mend(s|ed|ing)?": "repair",
    r"eats?|eaten": "takes, or expects",
    r"strangers?": "untrusted input",
    r"beside": "next to, or compared with",
}
DEVICES = re.compile(
    r"jax\.(sharding|make_mesh|device_put|local_devices|devices|device_count|pmap)\b"
)


# -- sizes and layout ------------------------------------------------------------------


def test_every_file_is_short():
    lengths = {path: len(path.read_text().splitlines()) for path in PYTHON}
    check(
        "A file has at most about 400 lines: split it by subject.",
        (f"{name_of(path)}: {n} lines" for path, n in lengths.items() if n > 440),
    )


def test_every_function_is_short():
    # The training loop is one function, to be read from top to bottom.
    limits = {"experiments/train.py:train": 150}
    check(
        "A function has at most 60 lines: split it.",
        (
            f"{name_of(path)}:{node.lineno}: {node.name}, {length_of(node)} lines"
            for path in PYTHON
            for node in nodes_of(path, ast.FunctionDef)
            if length_of(node) > limits.get(f"{name_of(path)}:{node.name}", 60)
        ),
    )


def test_no_module_has_a_name_that_says_nothing():
    check(
        "Name a module after its subject.",
        (
            name_of(path)
            for path in PYTHON
            if {*Path(name_of(path)).with_suffix("").parts} & DRAWERS
        ),
    )


def test_no_text_contains_a_path_of_one_machine():
    path_of_a_machine = r"(?<![\w.}])/(home|root|work|tmp|Users)/\S*"
    check(
        "Use a relative path, a flag or an environment variable.",
        (found for path in TEXTS for found in matches_of(path_of_a_machine, path)),
    )


def test_names_and_texts_use_plain_words():
    # An underscore ends a word: `is_told` has the word `told`.
    banned = {
        rf"(?<![A-Za-z])({words})(?![A-Za-z])": plain
        for words, plain in BANNED_WORDS.items()
    }
    check(
        "Use the standard term instead of this word.",
        (
            f"{found} (use: {plain})"
            for path in PYTHON
            if path != Path(__file__)
            for pattern, plain in banned.items()
            for found in matches_of(pattern, path)
        ),
    )


def test_no_literal_is_unpacked_in_place():
    check(
        "Write the items out: a longer line is better than `*(a, b)`.",
        (
            f"{name_of(path)}:{node.lineno}"
            for path in PYTHON
            for node in nodes_of(path, ast.Starred)
            if isinstance(node.value, ast.Tuple | ast.List)
        ),
    )


# -- errors ----------------------------------------------------------------------------


def test_no_error_is_swallowed():
    check(
        "Handle the error, or let it pass to the caller.",
        (
            f"{name_of(path)}:{node.lineno}"
            for path in PYTHON
            for node in nodes_of(path, ast.ExceptHandler)
            if all(isinstance(line, ast.Pass | ast.Continue) for line in node.body)
        ),
    )


def test_every_error_for_users_is_a_user_error():
    # Not for users: an abstract method, the end of a process, a fault of the program, a
    # name that a module does not have.
    for_programmers = {"NotImplementedError", "SystemExit", "TypeError"}
    for_programmers |= {"AttributeError"}
    builtin = {name for name in dir(builtins) if name.endswith("Error")}
    raised = (
        (path, node, ast.unparse(getattr(node.exc, "func", node.exc)))
        for path in CODE
        for node in nodes_of(path, ast.Raise)
        if node.exc
    )
    check(
        "Raise a subclass of jaxastro.errors.UserError: commands print its message "
        "without a traceback.",
        (
            f"{name_of(path)}:{node.lineno}: {error}"
            for path, node, error in raised
            if error in builtin - for_programmers
        ),
    )


# -- imports ---------------------------------------------------------------------------


def test_a_package_is_imported_only_at_its_home():
    check(
        "This package has one home (HOMES above): call what is there.",
        (
            f"{name_of(path)} imports {module}"
            for path in PYTHON
            for module in sorted({*imports_of(path)})
            if not within(path, *HOMES.get(module.partition(".")[0], ("",)))
        ),
    )


def test_host_half_and_builders_load_neither_jax_nor_tensorflow():
    files = [path for path in CODE if within(path, *HOST)]
    modules = [module_of(path) for path in files if not within(path, *MAY_LOAD_JAX)]
    script = (
        "import importlib, sys\n"
        f"for name in {modules!r}:\n"
        "    importlib.import_module(name)\n"
        "    found = {'jax', 'tensorflow'} & set(sys.modules)\n"
        "    assert not found, (name, found)\n"
    )
    done = commands.python("-c", script)
    assert done.code == 0, done.stderr


def test_device_half_opens_no_file():
    files = [path for path in CODE if within(path, *PURE)]
    opening = re.compile(r"open$|.*\.(load|save\w*|tofile|read_\w+|write_\w+)$")
    check(
        "Models, methods and losses are pure: open files in training/ or runs/.",
        (
            f"{name_of(path)}:{node.lineno}: {ast.unparse(node.func)}"
            for path in files
            for node in nodes_of(path, ast.Call)
            if opening.match(ast.unparse(node.func))
        ),
    )
    of_files = {"pathlib", "os", "io", "shutil", "pickle", "tempfile"}
    check(
        "Models, methods and losses are pure: no module of files is imported.",
        (
            f"{name_of(path)} imports {module}"
            for path in files
            for module in imports_of(path)
            if module.partition(".")[0] in of_files
        ),
    )


def test_devices_are_named_in_one_file():
    found = {
        path: {ast.unparse(node) for node in nodes_of(path, ast.Attribute)}
        | {*imports_of(path)}
        for path in CODE
        if name_of(path) != "jaxastro/training/sharding.py"
    }
    count = re.compile(
        r"jax\.(devices|device_count)\b"
    )  # how many there are is no secret
    check(
        "Devices and meshes are named in jaxastro/training/sharding.py only.",
        (
            f"{name_of(path)}: {name}"
            for path, names in found.items()
            for name in sorted(names)
            if DEVICES.match(name)
            and not (
                within(path, "jaxastro/runs/", *APPLICATIONS) and count.match(name)
            )
        ),
    )


# -- complete lists --------------------------------------------------------------------


def modules_in(folder):
    return {path.stem for path in (ROOT / folder).glob("[a-z]*.py")}


def test_every_model_method_and_representation_is_listed():
    assert modules_in("jaxastro/models") == {*MODELS, "requirements"}
    assert modules_in("jaxastro/methods") == set(METHODS)
    assert modules_in("jaxastro/representations") == set(REPRESENTATIONS)


def test_every_report_is_listed():
    written = set()
    for name in modules_in("jaxastro/reports"):
        module = importlib.import_module(f"jaxastro.reports.{name}")
        write = getattr(module, "write", None)
        arguments = list(inspect.signature(write).parameters) if write else []
        if arguments == ["predictions", "folder"]:
            written.add(write)
    assert written == set(REPORTS.values())


def test_every_survey_has_a_builder_a_reader_and_a_data_card():
    assert set(SURVEYS) == set(BUILDERS)
    for name, survey in SURVEYS.items():
        assert survey.name == name
        module, builder = BUILDERS[name]
        path = ROOT / module.replace(".", "/")
        assert f"class {builder}(" in path.with_suffix(".py").read_text()
        assert len(path.with_suffix(".md").read_text()) > 1000


def test_layers_models_losses_and_methods_cite_their_source():
    places = (
        "jaxastro/layers/",
        "jaxastro/losses.py",
        "jaxastro/models/",
        "jaxastro/methods/",
    )
    public = (
        (path, node, ast.get_docstring(node) or "")
        for path in CODE
        if within(path, *places) and path.stem not in ("__init__", "requirements")
        for node in tree_of(path).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name[0] != "_"
    )
    check(
        "The docstring needs a line `Source: ...` and a line `Differs: ...`.",
        (
            f"{name_of(path)}:{node.lineno}: {node.name}"
            for path, node, text in public
            if node.name not in WITHOUT_SOURCE
            and not ("\nSource: " in text and "\nDiffers: " in text)
        ),
    )


# -- settings ------------------------------------------------------------------------


def dependencies() -> dict[str, set[str]]:
    """What pyproject.toml requires: extra, or an empty name, -> distributions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"": project["dependencies"]} | project["optional-dependencies"]
    return {
        extra: {re.match(r"[\w-]+", line)[0] for line in lines}
        for extra, lines in groups.items()
    }


def test_tensorflow_is_not_required():
    required = set().union(*dependencies().values())
    found = {name for name in required if "tensorflow" in name}
    assert found == {"tensorflow-datasets"}


def test_every_required_package_is_imported():
    # tensorflow-datasets needs both: to be imported, and to read and write its files.
    not_ours = {"importlib_resources", "array_record"}
    files = [path for path in CODE if within(path, *LIBRARY, "configs", "experiments")]
    imported = {m.partition(".")[0] for path in files for m in imports_of(path)}
    names = {IMPORT_NAMES.get(n, n.replace("-", "_")) for n in dependencies()[""]}
    check("No file imports this package.", names - not_ours - imported)


def test_own_warnings_are_errors_and_those_of_dependencies_are_not():
    for module in ("jaxastro", "jaxastro.training.scalars", "data_builders.hits.hits"):
        with pytest.raises(UserWarning, match="ours"):
            warnings.warn_explicit("ours", UserWarning, "a.py", 1, module=module)
    with pytest.warns(UserWarning, match="theirs"):
        warnings.warn_explicit(
            "theirs", UserWarning, "a.py", 1, module="numpy.jaxastro"
        )
