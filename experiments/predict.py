"""`python -m experiments.predict` is the console command `jaxastro predict`."""

from jaxastro.commands.main import run_as_module

if __name__ == "__main__":
    run_as_module("predict")
