"""The console command `jaxastro`: one module per sub-command, each of a few lines."""
