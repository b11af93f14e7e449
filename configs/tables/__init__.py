"""One file per published table or figure; each lists the systems it compares."""
