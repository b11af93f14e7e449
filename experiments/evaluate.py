"""`python -m experiments.evaluate` is the console command `jaxastro evaluate`."""

from jaxastro.commands.main import run_as_module

if __name__ == "__main__":
    run_as_module("evaluate")
