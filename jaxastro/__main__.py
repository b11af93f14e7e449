"""`python -m jaxastro` is the console command `jaxastro`."""

import sys

from jaxastro.commands.main import main

sys.exit(main())
