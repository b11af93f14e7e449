"""HTML rendering: the one Jinja2 environment, with templates as package data."""

import functools
from importlib import resources

import jinja2


def render(template: str, **values) -> str:
    """Returns a template of reports/templates, filled with values.

    All values are escaped: names come from survey files and are untrusted input. The
    templates load no scripts and no outside addresses.
    """
    return _environment().get_template(template).render(**values)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["percent"] = lambda share: f"{100 * share:.1f}%"
    return environment


def _read(name: str) -> str:
    folder = resources.files("jaxastro.reports") / "templates"
    return (folder / name).read_text(encoding="utf-8")
