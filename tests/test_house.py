"""The rules of the house: sizes, names, and who may know whom."""

import ast
import importlib.util
import inspect
import re
import tomllib
import warnings
from pathlib import Path

import pytest
from support import commands

from data_builders.registry import BUILDERS
from jaxastro.methods import METHODS
from jaxastro.models import MODELS
from jaxastro.reports import REPORTS
from jaxastro.representations import REPRESENTATIONS
from jaxastro.surveys import SURVEYS

ROOT = commands.ROOT
PARTS = ("jaxastro", "data_builders", "configs", "experiments", "benchmarks", "tests")
FILES = sorted(path for part in PARTS for path in (ROOT / part).rglob("*.py"))
DOCUMENTS = sorted(
    path for part in ("", "*/", "*/*/") for path in ROOT.glob(f"{part}*.md")
)
OTHERS = ("pyproject.toml", "CITATION.cff", ".ci/run")
TEXTS = [*FILES, *DOCUMENTS, *(ROOT / name for name in OTHERS)]
BANNED = {"utils", "util", "helpers", "helper", "common", "misc", "core", "lib"}

# Each may import what stands before it in its own half, and types.
HOST = (
    *("surveys", "data", "alerts", "photometry", "heat_map", "representations"),
    *("simulation", "evaluation", "reports"),
)
DEVICE = (
    *(
        "layers",
        "augment",
        "losses",
        "accumulate",
        "probed",
        "models",
        "methods",
        "training",
    ),
)
LOAD_JAX = (  # of the host half these alone; who does without imports them last
    "jaxastro/data/loader.py",  # grain loads it
    "jaxastro/photometry/heat_map.py",  # fits many processes at once
)
# Package -> where it is at home; nobody else imports it.
HOMES = {
    "orbax": ("jaxastro/training/checkpoint.py",),
    "grain": ("jaxastro/data/",),
    "tensorboardX": ("jaxastro/training/scalars.py",),
    "tensorflow_datasets": ("data_builders/", "tests/"),
    "tensorflow": (),
    "apache_beam": ("data_builders/", "tests/"),
    "fastavro": (
        *("jaxastro/alerts/", "jaxastro/runs/prediction_table.py"),
        *("benchmarks/", "tests/"),
    ),
    "pooch": ("data_builders/",),
    "pyarrow": (
        *("data_builders/", "jaxastro/alerts/container.py"),  # there for snappy
        *("jaxastro/runs/prediction_table.py", "benchmarks/", "tests/"),
    ),
    "light_curve": (
        *("jaxastro/representations/", "jaxastro/baselines/features.py"),
        *("benchmarks/", "tests/"),
    ),
    "matplotlib": ("jaxastro/reports/", "tests/"),
    "tinygp": ("tests/",),
    "torch": ("benchmarks/", "tests/"),
    "ml_collections": ("configs/", "experiments/", "tests/"),
    "flax": ("jaxastro/layers/", "jaxastro/models/", "jaxastro/methods/", "tests/"),
}
PLAIN = {"equal_weight", "weighted_sum"}  # arithmetic that needs no source
OF_DEVICES = re.compile(
    r"jax\.(sharding|make_mesh|device_put|local_devices|devices|device_count|pmap)\b"
)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def every(files):
    return pytest.mark.parametrize("path", files, ids=name_of)


def tree_of(path):
    return ast.parse(path.read_text())


def imports_of(path):
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # `from jaxastro import losses` imports a module, not a thing in one.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def in_part(*names):
    """The files of some parts of jaxastro."""
    paths = [ROOT / "jaxastro" / name for name in names]
    folders = [file for path in paths for file in path.rglob("*.py")]
    return sorted([*folders, *(p.with_suffix(".py") for p in paths if not p.is_dir())])


# -- sizes and names -------------------------------------------------------------------


@every(FILES)
def test_a_file_can_be_read_in_one_go(path):
    assert len(path.read_text().splitlines()) <= 420


def length_of(function):
    """Lines of a function's body without its docstring and the functions inside it."""
    first = function.body[0]
    documented = ast.get_docstring(function, clean=False) is not None
    start = first.end_lineno + 1 if documented else first.lineno
    lines = set(range(start, function.end_lineno + 1))
    for node in ast.walk(function):
        if isinstance(node, ast.FunctionDef) and node is not function:
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return len(lines)


@every(FILES)
def test_a_function_fits_a_page(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef):
            is_spine = name_of(path) == "experiments/train.py" and node.name == "train"
            assert length_of(node) <= (150 if is_spine else 60), node.name


def test_no_file_is_a_drawer():
    for path in FILES:
        assert not {*Path(name_of(path)).with_suffix("").parts} & BANNED, path


@every(FILES)
def test_no_error_is_swallowed_and_no_work_left_undone(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler):
            assert not all(
                isinstance(line, ast.Pass | ast.Continue) for line in node.body
            ), f"line {node.lineno}"
    if path != Path(__file__):
        assert not re.search(r"\b(TODO|FIXME|XXX)\b", path.read_text())


@every(TEXTS)
def test_no_text_names_a_path_of_one_machine(path):
    found = re.search(r"(?<![\w.}])/(home|root|work|tmp|Users)/\S*", path.read_text())
    assert not found, found


# -- who may know whom -----------------------------------------------------------------


def test_every_part_is_on_the_map():
    parts = {
        path.stem
        for path in (ROOT / "jaxastro").glob("[a-z]*")
        if path.suffix != ".pyc"
    }
    assert parts == {*HOST, *DEVICE, "types"}


@pytest.mark.parametrize(
    ("half", "part"), [(half, part) for half in (HOST, DEVICE) for part in half]
)
def test_a_part_imports_only_what_stands_before_it(half, part):
    allowed = {"types", *half[: half.index(part) + 1]}
    for path in in_part(part):
        for module in imports_of(path):
            top, _, rest = module.partition(".")
            assert top not in PARTS[1:], f"{name_of(path)} imports {module}"
            if top == "jaxastro":
                known = rest.partition(".")[0]
                assert known in allowed, f"{name_of(path)} imports {module}"


def test_types_knows_nothing_of_ours_and_builders_only_the_host_half():
    assert not any(m.startswith("jaxastro") for m in imports_of(*in_part("types")))
    allowed = ("jaxastro.types", *(f"jaxastro.{part}" for part in HOST))
    for path in (ROOT / "data_builders").rglob("*.py"):
        for module in imports_of(path):
            assert module.partition(".")[0] not in PARTS[2:]
            if module.startswith("jaxastro"):
                assert module.startswith(allowed), f"{name_of(path)} imports {module}"


@every(FILES)
def test_a_package_is_imported_only_where_it_is_at_home(path):
    for module in imports_of(path):
        homes = HOMES.get(module.partition(".")[0])
        assert homes is None or name_of(path).startswith(homes), module


def test_the_host_half_and_the_builders_load_neither_jax_nor_tensorflow():
    files = [*in_part(*HOST, "types"), *(ROOT / "data_builders").rglob("*.py")]
    modules = [
        name_of(path.with_suffix("")).replace("/", ".").removesuffix(".__init__")
        for path in files
        if name_of(path) not in LOAD_JAX
    ]
    script = (
        "import importlib, sys\n"
        f"for name in {modules!r}:\n"
        "    importlib.import_module(name)\n"
        "    found = {'jax', 'tensorflow'} & set(sys.modules)\n"
        "    assert not found, (name, found)\n"
    )
    done = commands.python("-c", script)
    assert done.code == 0, done.stderr


@every(in_part(*DEVICE[:-1]))
def test_the_device_half_opens_no_file(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called != "open", f"line {node.lineno}"
            assert not re.search(r"\.(load|save\w*|tofile|read_\w+|write_\w+)$", called)
    outside = {module.partition(".")[0] for module in imports_of(path)}
    assert not outside & {"pathlib", "os", "io", "shutil", "pickle", "tempfile"}


@every([path for path in FILES if "tests" not in path.parts])
def test_one_file_names_devices(path):
    if name_of(path) == "jaxastro/training/sharding.py":
        return
    nodes = ast.walk(tree_of(path))
    named = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    found = {name for name in named | {*imports_of(path)} if OF_DEVICES.match(name)}
    if path.parent.name in ("experiments", "benchmarks"):  # may say how many there are
        count = ("jax.devices", "jax.device_count")
        found = {name for name in found if not name.startswith(count)}
    assert not found


# -- lists that are complete -----------------------------------------------------------


def modules_in(folder):
    return {path.stem for path in (ROOT / folder).glob("[a-z]*.py")}


def test_every_model_method_and_representation_is_listed():
    assert modules_in("jaxastro/models") == set(MODELS)
    assert modules_in("jaxastro/methods") == set(METHODS)
    assert modules_in("jaxastro/representations") == set(REPRESENTATIONS)


def test_every_report_is_listed():
    written = set()
    for name in modules_in("jaxastro/reports"):
        module = importlib.import_module(f"jaxastro.reports.{name}")
        write = getattr(module, "write", None)
        if write and list(inspect.signature(write).parameters) == [
            "predictions",
            "folder",
        ]:
            written.add(name)
            assert REPORTS[name] is write
    assert written == set(REPORTS)


def test_every_survey_has_a_builder_a_reader_and_a_data_card():
    assert set(SURVEYS) == set(BUILDERS)
    for name, survey in SURVEYS.items():
        assert survey.name == name
        module = ROOT / BUILDERS[name][0].replace(".", "/")
        assert f"class {BUILDERS[name][1]}(" in module.with_suffix(".py").read_text()
        assert len(module.with_suffix(".md").read_text()) > 1000


@every(in_part("layers", "losses", "models", "methods"))
def test_layers_models_losses_and_methods_name_their_source(path):
    if path.stem == "__init__":
        return
    for node in tree_of(path).body:
        is_public = isinstance(node, ast.ClassDef | ast.FunctionDef)
        if is_public and node.name not in PLAIN and node.name[0] != "_":
            text = ast.get_docstring(node)
            assert "\nSource: " in text, node.name
            assert "\nDiffers: " in text, node.name


# -- what the documents promise --------------------------------------------------------


@every(DOCUMENTS)
def test_commands_and_links_in_documents_exist(path):
    text = path.read_text()
    for module in re.findall(r"python -m ([\w.]+)", text):
        assert importlib.util.find_spec(module), module
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (path.parent / link).exists(), link


def test_tensorflow_is_not_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.match(r"[\w-]+", line)[0] for lines in asked for line in lines}
    assert {name for name in names if "tensorflow" in name} == {"tensorflow-datasets"}


def test_a_warning_of_ours_is_an_error_and_others_are_not():
    for module in ("jaxastro", "jaxastro.training.scalars", "data_builders.hits.hits"):
        with pytest.raises(UserWarning, match="ours"):
            warnings.warn_explicit("ours", UserWarning, "a.py", 1, module=module)
    with pytest.warns(UserWarning, match="theirs"):
        warnings.warn_explicit(
            "theirs", UserWarning, "a.py", 1, module="numpy.jaxastro"
        )
