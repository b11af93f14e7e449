"""Comparison page, as one Markdown file and one HTML file."""

from collections.abc import Sequence
from pathlib import Path

from jaxastro.reports.comparison.tables import Table
from jaxastro.reports.page import figure_of
from jaxastro.reports.rendering import render


def write_html(
    folder: Path,
    *,
    title: str,
    summary: dict,
    tables: Sequence[Table],
    runs: Table,
    pictures: Sequence[Path],
    reference: str,
) -> Path:
    """Writes table.html, a single file that needs no network.

    Args:
        summary: facts, summary, cautions and tone, as returned by summarise.
        runs: the table of all runs, shown in a collapsed section.
    """
    figures = [figure_of(path) for path in pictures]
    text = render(
        "comparison.html",
        title=title,
        sections=[
            *((table.name, table.heading) for table in tables),
            *((figure["name"], figure["title"]) for figure in figures),
            (runs.name, runs.heading),
        ],
        tables=tables,
        runs=runs,
        figures=figures,
        reference=reference,
        **summary,
    )
    path = Path(folder) / "table.html"
    path.write_text(text, encoding="utf-8")
    return path


def write_markdown(
    folder: Path,
    *,
    title: str,
    summary: dict,
    tables: Sequence[Table],
    pictures: Sequence[Path],
) -> Path:
    """Writes table.md, with links to the pictures in the same folder."""
    first, *others = map(_escape, summary["summary"])
    parts = [f"# {_escape(title)}", _escape(" · ".join(summary["facts"]))]
    parts.append(" ".join([f"**{first}**", *others]))
    parts.append("\n".join(f"- {_escape(caution)}" for caution in summary["cautions"]))
    for table in tables:
        rule = ["---", *["---:"] * (len(table.columns) - 1)]
        lines = [
            f"| {' | '.join(map(_escape, row))} |"
            for row in (table.columns, rule, *table.rows)
        ]
        parts += [f"## {table.heading}", _escape(table.note), "\n".join(lines)]
    for path in pictures:
        figure = figure_of(path)
        parts += [f"## {figure['title']}", f"![{_escape(figure['alt'])}]({path.name})"]
        parts.append(_escape(figure["caption"]))
    path = Path(folder) / "table.md"
    path.write_text("\n\n".join(filter(None, parts)) + "\n", encoding="utf-8")
    return path


def _escape(text: str) -> str:
    return " ".join(str(text).split()).replace("|", r"\|").replace("<", "&lt;")
