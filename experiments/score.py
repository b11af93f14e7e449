"""`python -m experiments.score` is the console command `jaxastro score`."""

from jaxastro.commands.main import run_as_module

if __name__ == "__main__":
    run_as_module("score")
