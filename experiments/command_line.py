"""What the commands that take --config share: flags, presets, and the typed spec."""

import runpy
import sys
from collections.abc import Callable

import jax
from absl import app, flags
from ml_collections import ConfigDict, config_flags

from jaxastro.commands.error_handling import run_command
from jaxastro.commands.settings import DATA_DIR, MANUAL_DIR
from jaxastro.runs.compilation_cache import use_compilation_cache
from jaxastro.runs.malloc import keep_freed_memory
from jaxastro.runs.spec import RunSpec

FLAGS = flags.FLAGS


def define_flags(config_help: str, workdir_help: str) -> None:
    """Defines the flags of a command; --help shows them with those of its own file."""
    config_flags.DEFINE_config_file("config", None, config_help)
    flags.DEFINE_string("workdir", None, workdir_help)
    flags.DEFINE_string("data_dir", "", DATA_DIR)
    flags.DEFINE_string("manual_dir", "", MANUAL_DIR)
    flags.DEFINE_bool("debug", False, "Show where in the code an error was raised.")
    flags.DEFINE_bool(
        "keep_memory",
        True,
        "Keep freed memory for the next step: on CPU a sixth less time to train, a "
        "third less to predict.",
    )
    flags.DEFINE_bool(
        "compilation_cache",
        True,
        "Keep compiled programs for later runs, in JAX_COMPILATION_CACHE_DIR or else "
        "in the user's cache folder.",
    )
    for name in (
        "config",
        "workdir",
        "data_dir",
        "manual_dir",
        "debug",
        "keep_memory",
        "compilation_cache",
    ):
        FLAGS.register_key_flag_for_module(sys.argv[0], FLAGS[name])


def run(
    main: Callable[[], None],
    *,
    needs: tuple[str, ...],
    before_devices: Callable[[], None] = lambda: None,
) -> None:
    """Parses the flags, calls main and ends the process.

    Args:
        needs: flags that must be given.
        before_devices: called before JAX initialises its devices.
    """

    def start(_=None) -> None:
        if FLAGS.keep_memory:
            keep_freed_memory()
        before_devices()
        use_compilation_cache(FLAGS.compilation_cache)
        main()

    def parse_and_start() -> None:
        app.run(start, flags_parser=lambda given: _parse(given, needs))

    sys.exit(run_command(parse_and_start, debug="--debug" in sys.argv))


def resolve_config(log_file=None) -> ConfigDict:
    """Returns the config of --config, with preset auto made laptop or paper.

    What was set on the command line is set again, so --config.seed=3 holds whatever
    auto becomes.

    Args:
        log_file: where to print what auto became; standard output by default.
    """
    config = FLAGS["config"].value
    if config.preset != "auto":
        return config
    path = config_flags.get_config_filename(FLAGS["config"])
    path, _, _ = path.partition(":")
    preset = "laptop" if jax.default_backend() == "cpu" else "paper"
    config = runpy.run_path(path)["get_config"](preset)
    config.lock()
    config.update_from_flattened_dict(config_flags.get_override_values(FLAGS["config"]))
    found = "no accelerator found" if preset == "laptop" else "accelerator found"
    print(
        f"Preset: {preset} ({found}). Force the published sizes with "
        f"--config={path}:paper, or small ones with --config={path}:laptop.",
        file=log_file or sys.stdout,
    )
    return config


def spec_of(config: ConfigDict) -> RunSpec:
    """Returns the typed, frozen spec of a config."""
    return RunSpec.from_dict(config.to_dict())


def numbers_of(flag: str) -> list[int]:
    """Returns the numbers of --folds or --seeds, each once."""
    given = FLAGS[flag].value
    if not all(text.isdecimal() and int(text) < 2**32 for text in given):
        raise flags.Error(
            f"--{flag}={','.join(given)} is not a list of numbers from 0 on. Write "
            f"them as --{flag}=0,1,2."
        )
    return list(dict.fromkeys(map(int, given)))


def _parse(arguments: list[str], needs: tuple[str, ...]) -> list[str]:
    try:
        rest = FLAGS(arguments)
    except AttributeError as error:  # the locked config's, with "Did you mean ...?"
        if not isinstance(error.args[0], KeyError):
            raise
        hint = str(error.args[0].args[0]).replace("\n", ". ")
        raise flags.Error(f"The config has no key {hint}") from None
    if len(rest) > 1:
        raise flags.Error(f"Unknown argument {rest[1]!r}. See --help.")
    for name in needs:
        if FLAGS[name].value is None:
            raise flags.Error(f"--{name} is missing: {FLAGS[name].help} See --help.")
    return rest
