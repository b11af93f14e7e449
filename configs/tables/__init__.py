"""One file per table or figure, which lists the systems that it compares."""
