"""One file per picture or table; each reads Predictions and nothing else.

Every entry is `write(predictions, folder) -> list[Path]`. Pictures appear on the page
in this order, with the words that style.save put into their files.
"""

from jaxastro.reports import (
    baselines,
    clusters,
    confusion,
    curves,
    days,
    embedding,
    epochs,
    frames,
    levels,
    light_curves,
    maps,
    neighbours,
    reconstructions,
    reliability,
    scores,
    spread,
    stamps,
    unlikely,
    walks,
)

REPORTS = {
    "scores": scores.write,
    "baselines": baselines.write,
    "levels": levels.write,
    "confusion": confusion.write,
    "epochs": epochs.write,
    "days": days.write,
    "frames": frames.write,
    "light_curves": light_curves.write,
    "maps": maps.write,
    "stamps": stamps.write,
    "reconstructions": reconstructions.write,
    "reliability": reliability.write,
    "spread": spread.write,
    "curves": curves.write,
    "embedding": embedding.write,
    "clusters": clusters.write,
    "walks": walks.write,
    "neighbours": neighbours.write,
    "unlikely": unlikely.write,
}
