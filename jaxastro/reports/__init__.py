"""Report of one run: each module writes one picture or table from Predictions.

Every entry of REPORTS is `write(predictions, folder) -> list[Path]`. The page shows the
pictures in this order, with the captions that style.save stores in the files.
"""

from jaxastro.reports import (
    anomalies,
    baselines,
    calibration,
    clusters,
    confusion_matrix,
    embedding,
    frames,
    hierarchy,
    latent_traversals,
    light_curve_image,
    light_curves,
    nearest_neighbours,
    predictive_uncertainty,
    reconstructions,
    roc_curves,
    score_by_days,
    score_by_epochs,
    scores,
    stamps,
)

REPORTS = {
    "scores": scores.write,
    "baselines": baselines.write,
    "confusion_matrix": confusion_matrix.write,
    "hierarchy": hierarchy.write,
    "calibration": calibration.write,
    "roc_curves": roc_curves.write,
    "score_by_epochs": score_by_epochs.write,
    "score_by_days": score_by_days.write,
    "predictive_uncertainty": predictive_uncertainty.write,
    "frames": frames.write,
    "light_curves": light_curves.write,
    "light_curve_image": light_curve_image.write,
    "stamps": stamps.write,
    "reconstructions": reconstructions.write,
    "embedding": embedding.write,
    "clusters": clusters.write,
    "latent_traversals": latent_traversals.write,
    "nearest_neighbours": nearest_neighbours.write,
    "anomalies": anomalies.write,
}
