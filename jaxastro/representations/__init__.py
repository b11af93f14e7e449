"""From a record to an example of fixed size, by the name a config gives it."""

from jaxastro.representations import series

REPRESENTATIONS = {
    "series": series,
}
