"""`python -m experiments.report` is the console command `jaxastro report`."""

from jaxastro.commands.main import run_as_module

if __name__ == "__main__":
    run_as_module("report")
