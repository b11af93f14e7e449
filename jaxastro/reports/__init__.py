"""One file per picture or table; each reads Predictions and nothing else.

Every entry is `write(predictions, folder) -> list[Path]`. Pictures appear on the page
in this order, with the words that style.save put into their files.
"""

from jaxastro.reports import (
    anomalies,
    baselines,
    clusters,
    confusion,
    curves,
    embedding,
    frames,
    hierarchy,
    latent_traversals,
    light_curve_image,
    light_curves,
    neighbours,
    reconstructions,
    reliability,
    score_by_days,
    score_by_epochs,
    scores,
    spread,
    stamps,
)

REPORTS = {
    "scores": scores.write,
    "baselines": baselines.write,
    "levels": hierarchy.write,
    "confusion": confusion.write,
    "epochs": score_by_epochs.write,
    "days": score_by_days.write,
    "frames": frames.write,
    "light_curves": light_curves.write,
    "maps": light_curve_image.write,
    "stamps": stamps.write,
    "reconstructions": reconstructions.write,
    "reliability": reliability.write,
    "spread": spread.write,
    "curves": curves.write,
    "embedding": embedding.write,
    "clusters": clusters.write,
    "walks": latent_traversals.write,
    "neighbours": neighbours.write,
    "unlikely": anomalies.write,
}
