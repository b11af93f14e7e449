"""The tables and pictures as one Markdown file and one HTML file."""

from collections.abc import Sequence
from pathlib import Path

import jinja2

from jaxastro.reports.comparison.tables import Table
from jaxastro.reports.page import figure_of
from jaxastro.reports.page_template import HEAD

TEMPLATE = (
    HEAD
    + """
table.wide { font-size: .88rem; }
table.wide th { white-space: normal; }
table.wide tbody th { min-width: 11rem; }
table.wide thead th { vertical-align: bottom; min-width: 4.5rem; }
tr.reference { background: var(--wash); }
section.published { margin-top: 3.4rem; padding: .2rem 1.4rem 1.2rem;
  border: 1px dashed var(--muted); border-radius: 8px; }
section.published h2 { margin-top: 1rem; }
</style>
</head>
<body>
{% macro grid(table) %}
<div class="scroll"><table class="wide">
<thead><tr>{% for column in table.columns %}
<th scope="col">{{ column }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in table.rows %}
<tr{% if row[0] == reference %} class="reference"{% endif %}>
<th scope="row">{{ row[0] }}</th>
{% for cell in row[1:] %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</tbody></table></div>
{% endmacro %}
<header>
<p class="kicker">Comparison</p>
<h1>{{ title }}</h1>
<p class="facts">{{ facts|join(" · ") }}</p>
<nav aria-label="Sections">
{% for name, heading in sections %}
<a href="#{{ name }}">{{ heading }}</a>
{% endfor %}
</nav>
</header>
<main>
<section class="verdict {{ tone }}" aria-label="Verdict"><p>
<strong>{{ verdict[0] }}</strong> {{ verdict[1:]|join(" ") }}</p></section>
{% if cautions %}
<aside class="cautions"><h2>Before quoting these numbers</h2>
<ul>{% for caution in cautions %}<li>{{ caution }}</li>{% endfor %}</ul></aside>
{% endif %}
{% for table in tables %}
<section id="{{ table.name }}"{% if table.name == "published" %} class="published"
{%- endif %}>
<h2>{{ table.heading }}</h2>
<p>{{ table.note }}</p>
{{ grid(table) }}
</section>
{% endfor %}
{% for figure in figures %}
<section id="{{ figure.name }}">
<h2>{{ figure.title }}</h2>
<figure><figcaption>{{ figure.caption }}</figcaption>
<div class="print"><img width="{{ figure.width }}" height="{{ figure.height }}"
 alt="{{ figure.alt }}" src="data:image/png;base64,{{ figure.data }}"></div></figure>
</section>
{% endfor %}
<section id="{{ runs.name }}">
<h2>{{ runs.heading }}</h2>
<details><summary>Show all {{ runs.rows|length }}</summary>{{ grid(runs) }}</details>
</section>
</main>
<footer>
<p>Written by jaxastro from the predictions of every run. Beside this page: table.json
 for programs, table.md, and every picture as PNG.</p>
</footer>
</body>
</html>
"""
)


def write_html(
    folder: Path,
    *,
    title: str,
    words: dict,
    tables: Sequence[Table],
    runs: Table,
    pictures: Sequence[Path],
    reference: str,
) -> Path:
    """Writes table.html: one file that asks the network for nothing.

    Args:
        words: facts, verdict, cautions, tone, as words_of gives them.
        runs: the table that is shown folded in.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    figures = [figure_of(path) for path in pictures]
    text = environment.from_string(TEMPLATE).render(
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
        **words,
    )
    path = Path(folder) / "table.html"
    path.write_text(text, encoding="utf-8")
    return path


def write_markdown(
    folder: Path,
    *,
    title: str,
    words: dict,
    tables: Sequence[Table],
    pictures: Sequence[Path],
) -> Path:
    """Writes table.md, with links to the pictures beside it."""
    first, *others = map(_cell, words["verdict"])
    parts = [f"# {_cell(title)}", _cell(" · ".join(words["facts"]))]
    parts.append(" ".join([f"**{first}**", *others]))
    parts.append("\n".join(f"- {_cell(caution)}" for caution in words["cautions"]))
    for table in tables:
        lines = [table.columns, ["---", *["---:"] * (len(table.columns) - 1)]]
        lines = [f"| {' | '.join(map(_cell, row))} |" for row in (*lines, *table.rows)]
        parts += [f"## {table.heading}", _cell(table.note), "\n".join(lines)]
    for path in pictures:
        figure = figure_of(path)
        parts += [f"## {figure['title']}", f"![{_cell(figure['alt'])}]({path.name})"]
        parts.append(_cell(figure["caption"]))
    path = Path(folder) / "table.md"
    path.write_text("\n\n".join(filter(None, parts)) + "\n", encoding="utf-8")
    return path


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", r"\|").replace("<", "&lt;")
