"""The words and the look of the page; page.py fills in the numbers."""

STYLE_SHEET = """
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1f2933; --muted: #5d6873;
  --line: #e3e1dc; --accent: #0b5c92; --clear: #00795a; --unclear: #b45309;
  --wash: #f2f0ec; --strip: #dfe5ea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d; --card: #1c2229; --ink: #e6eaee; --muted: #a0abb6;
    --line: #303943; --accent: #7cc0f0; --clear: #45c9a0; --unclear: #f0a848;
    --wash: #222a32; --strip: #38434e;
  }
  figure img { filter: brightness(.93); }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; padding: 0 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue",
    Arial, sans-serif;
}
main, header, footer { max-width: 58rem; margin: 0 auto; }
header { padding: 3.2rem 0 1.2rem; }
.kicker { margin: 0; color: var(--muted); font-size: .82rem; letter-spacing: .09em;
  text-transform: uppercase; }
h1 { margin: .3rem 0 .5rem; font-size: 2rem; line-height: 1.2; font-weight: 680;
  letter-spacing: -.015em; overflow-wrap: anywhere; text-wrap: balance; }
h2 { margin: 3.4rem 0 .4rem; font-size: 1.35rem; line-height: 1.3; font-weight: 660;
  letter-spacing: -.01em; }
p { margin: .5rem 0; max-width: 44rem; }
.facts { color: var(--muted); margin: 0; }
nav { margin-top: 1.2rem; padding-top: .8rem; border-top: 1px solid var(--line);
  font-size: .9rem; line-height: 1.9; }
nav a { margin-right: 1.1rem; white-space: nowrap; }
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
.verdict { margin: 1.2rem 0 0; padding: 1.15rem 1.4rem; background: var(--card);
  border: 1px solid var(--line); border-left: 5px solid var(--clear);
  border-radius: 8px; }
.verdict.unclear { border-left-color: var(--unclear); }
.verdict p { margin: 0; max-width: none; font-size: 1.08rem; }
.tiles { display: grid; gap: .8rem; margin: .8rem 0 0; padding: 0;
  grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); }
.tile { padding: .85rem 1.1rem; background: var(--card); border-radius: 8px;
  border: 1px solid var(--line); }
.tile dt { color: var(--muted); font-size: .85rem; }
.tile dd { margin: 0; font-size: 1.75rem; line-height: 1.3; font-weight: 640;
  font-variant-numeric: tabular-nums; }
.tile small { display: block; color: var(--muted); font-size: .82rem;
  font-weight: 400; }
.cautions { margin: 1.3rem 0 0; padding: .3rem 0 .3rem 1.25rem;
  border-left: 5px solid var(--unclear); }
.cautions h2 { margin: 0; font-size: 1rem; }
.cautions ul { margin: .2rem 0 0; padding-left: 1.1rem; max-width: 46rem; }
.words { display: grid; grid-template-columns: 10.5rem 1fr; gap: .35rem 1.2rem;
  margin: .9rem 0 0; }
.words dt { font-weight: 620; }
.words dd { margin: 0; max-width: 40rem; }
.next { margin-top: 1.8rem; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; margin: .9rem 0 0; font-size: .94rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .5rem .9rem .5rem 0; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
thead th { color: var(--muted); font-weight: 500; font-size: .85rem; }
th:first-child { text-align: left; }
tbody th { font-weight: 600; }
th:last-child, td:last-child { padding-right: 0; }
td.graph { width: 24%; min-width: 9rem; }
.range { color: var(--muted); }
.chip { display: inline-block; width: .7em; height: .7em; margin-right: .55em;
  border-radius: 2px; }
.ends { display: flex; justify-content: space-between; }
.strip, .ends { margin: 0 .35rem; }
.strip { position: relative; height: .8rem; border-radius: 3px;
  background: linear-gradient(var(--strip), var(--strip)) center / 100% 1px
    no-repeat; }
.strip i, .strip b { position: absolute; top: 50%; transform: translateY(-50%); }
.strip i { height: .4rem; opacity: .35; border-radius: 2px; }
.strip b { width: .65rem; height: .65rem; margin-left: -.325rem;
  border-radius: 50%; }
figure { margin: 0; }
figcaption { color: var(--muted); max-width: 46rem; margin-bottom: .9rem; }
.print { background: #ffffff; border: 1px solid var(--line); border-radius: 8px;
  padding: 1rem; overflow-x: auto; }
.print img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
details { margin-top: .8rem; }
summary { cursor: pointer; color: var(--accent); }
pre { padding: 1rem 1.2rem; background: var(--wash); border-radius: 8px;
  overflow-x: auto; font-size: .84rem; line-height: 1.5; }
footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--line);
  color: var(--muted); font-size: .88rem; }
@media (max-width: 40rem) {
  h1 { font-size: 1.55rem; }
  .words { grid-template-columns: 1fr; gap: 0; }
  .words dd { margin-bottom: .5rem; }
  .print { padding: .4rem; }
}
@media print {
  :root { --paper: #fff; --card: #fff; --ink: #000; --muted: #444; --line: #ccc; }
  body { font-size: 10.5pt; padding: 0; }
  header { padding-top: 0; }
  nav { display: none; }
  .tiles { grid-template-columns: repeat(4, 1fr); }
  figure, .verdict, .tiles, table, .words { break-inside: avoid; }
  h2 { break-after: avoid; margin-top: 1.6rem; }
  .print { border: 0; padding: 0; }
  .chip, .strip i, .strip b { print-color-adjust: exact; }
}
"""

# A page forbids itself scripts and outside addresses.
HEAD = (
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{{ title }}</title>
<style>"""
    + STYLE_SHEET
)

TEMPLATE = (
    HEAD
    + """</style>
</head>
<body>
{% macro words(name, meaning) %}<dt>{{ name }}</dt><dd>{{ meaning }}</dd>{% endmacro %}
{% macro score_cell(score) -%}
{{ "%.2f"|format(score.value) }} <span class="range">[
{{- "%.2f"|format(score.low) }}, {{ "%.2f"|format(score.high) }}]</span>
{%- endmacro %}
<header>
<p class="kicker">Evaluation</p>
<h1>{{ predictions.title }}</h1>
<p class="facts">{{ metrics.num_objects }} objects · {{ predictions.classes|length }}
 classes · bands {{ predictions.bands|join(" ") }} ·
 scored against {{ metrics.scored_against }}</p>
<nav aria-label="Sections">
<a href="#words">Words on this page</a>
<a href="#classes">Scores per class</a>
{% for figure in figures %}
<a href="#{{ figure.name }}">{{ figure.title }}</a>
{% endfor %}
</nav>
</header>
<main>

<section class="verdict {{ tone }}" aria-label="Verdict"><p>
<strong>{{ verdict[0] }}</strong> {{ verdict[1:]|join(" ") }}</p></section>
<dl class="tiles">
{% for name, score in [("Macro F1", metrics.macro_f1),
    ("Balanced accuracy", metrics.balanced_accuracy),
    ("Accuracy", metrics.accuracy)] %}
<div class="tile"><dt>{{ name }}</dt>
<dd>{{ "%.2f"|format(score.value) }}<small>{{ "%.2f"|format(score.low) }} to
 {{ "%.2f"|format(score.high) }}</small></dd></div>
{% endfor %}
<div class="tile"><dt>Calibration error</dt>
<dd>{{ "%.3f"|format(metrics.ece) }}<small>by chance: below
 {{ "%.3f"|format(metrics.ece_by_chance) }}</small></dd></div>
</dl>
{% if cautions %}
<aside class="cautions"><h2>Before quoting these numbers</h2>
<ul>{% for caution in cautions %}<li>{{ caution }}</li>{% endfor %}</ul></aside>
{% endif %}

<section id="words">
<h2>Words on this page</h2>
<dl class="words">
{{ words("Object", "One star, galaxy or supernova in the sky, seen again and again.") }}
{{ words("Epoch", "One observation of one object: a small image, taken on one day in "
  "one band. A series of epochs is a film of the object, with uneven gaps.") }}
{{ words("Band", "The colours of light that a filter lets through to the camera. Here: "
  ~ predictions.bands|join(", ") ~ ".") }}
{{ words("Class", "What kind of thing the object is. The model gives each of them a "
  "probability and names the most probable. Here: "
  ~ predictions.classes|join(", ") ~ ".") }}
{{ words("Precision, recall", "Of the objects called a class, the share that belong to "
  "it; of those that belong to it, the share that were called so.") }}
{{ words("F1, macro F1", "F1 is high only if precision and recall both are. Macro F1 "
  "is its plain mean over the classes, so that a rare class weighs as much as a common "
  "one. 1 is perfect.") }}
{{ words("0.71 [0.66, 0.75]", "A score, and the range it would mostly (95%) have had "
  "with other objects of the same kind. Differences within such ranges are noise.") }}
{{ words("Baseline", "A simple rival. Nuisance: a classifier that knows how often, "
  "when and in what weather an object was observed and never sees it. Majority: always "
  "names the commonest class.") }}
</dl>
</section>

<section id="classes">
<h2>Scores per class</h2>
<p>How well each class is found. A dash: no object of that class was scored.</p>
<div class="scroll"><table>
<thead><tr><th scope="col">Class</th><th scope="col">Objects</th>
<th scope="col">Precision</th><th scope="col">Recall</th><th scope="col">F1</th>
<th scope="col"><span class="ends"><span>0</span><span>1</span></span></th>
</tr></thead>
<tbody>
{% for name, row in metrics.per_class.items() %}
{% set color = colors[loop.index0] %}
<tr><th scope="row"><span class="chip" style="background:{{ color }}"></span>
{{- name }}</th><td>{{ row.count }}</td>
{% for score in [row.precision, row.recall, row.f1] %}
<td>{% if row.count %}{{ score_cell(score) }}{% else %}–{% endif %}</td>
{% endfor %}
<td class="graph">{% if row.count %}<div class="strip" aria-hidden="true">
<i style="background:{{ color }};left:{{ row.f1.low|percent }};width:
{{- (row.f1.high - row.f1.low)|percent }}"></i>
<b style="background:{{ color }};left:{{ row.f1.value|percent }}"></b></div>
{% endif %}</td></tr>
{% endfor %}
</tbody></table></div>
{% if metrics.by_label_source|length > 1 %}
<p class="next">The same by where the survey's label comes from: a spectrum is nearly
always right, a guess from colours less often.</p>
<div class="scroll"><table>
<thead><tr><th scope="col">Label source</th><th scope="col">Objects</th>
<th scope="col">Macro F1</th><th scope="col">Balanced accuracy</th>
<th scope="col">Accuracy</th></tr></thead>
<tbody>
{% for name, row in metrics.by_label_source.items() %}
<tr><th scope="row">{{ name }}</th><td>{{ row.count }}</td>
{% for score in [row.macro_f1, row.balanced_accuracy, row.accuracy] %}
<td>{{ score_cell(score) }}</td>
{% endfor %}
</tr>
{% endfor %}
</tbody></table></div>
{% endif %}
</section>

{% for figure in figures %}
<section id="{{ figure.name }}">
<h2>{{ figure.title }}</h2>
<figure><figcaption>{{ figure.caption }}</figcaption>
<div class="print"><img width="{{ figure.width }}" height="{{ figure.height }}"
 alt="{{ figure.alt }}" src="data:image/png;base64,{{ figure.data }}"></div></figure>
</section>
{% endfor %}

{% if config %}
<section id="config">
<h2>Settings of the run</h2>
<details><summary>Show the whole config</summary><pre>{{ config }}</pre></details>
</section>
{% endif %}
</main>
<footer>
<p>Written by jaxastro from predictions.npz alone. Intervals:
 {{ metrics.interval }} ({{ metrics.num_groups }} groups). Log loss
 {{ "%.3f"|format(metrics.log_loss) }}, Brier score {{ "%.3f"|format(metrics.brier) }}.
 Beside this page: {{ tables|join(", ") }} and every picture as PNG.</p>
</footer>
</body>
</html>
"""
)
