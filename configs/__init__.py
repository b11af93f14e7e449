"""One file per experiment; each is a document."""
