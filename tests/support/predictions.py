"""Random predictions of an imagined model with an accuracy of about 3/4."""

import numpy as np

from jaxastro.evaluation.predictions import LatentSpace, ObjectNumbers, Predictions

CLASSES = ("AGN", "SNIa", "SNOther", "Variable")
BANDS = ("u", "g", "r", "i", "z")
SHARE = (0.22, 0.26, 0.08, 0.44)  # of each class


def make_predictions(num_objects: int = 200, *, num_shown: int = 6, seed: int = 0):
    rng = np.random.default_rng(seed)
    num_classes = len(CLASSES)
    label = rng.choice(num_classes, num_objects, p=SHARE)
    num_epochs = rng.integers(3, 99, num_objects)

    def probability_after(epochs, weight=1.0):
        logits = rng.normal(size=(num_objects, num_classes)) * 1.2
        sure = 1.5 + 1.6 * np.tanh(np.minimum(epochs, num_epochs) / 30)
        logits[np.arange(num_objects), label] += weight * sure
        odds = np.exp(logits)
        return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)

    def spread_after(epochs):
        widest = 0.3 / (1 + np.minimum(epochs, num_epochs) / 10)
        shape = (num_objects, num_classes)
        return rng.uniform(0, np.broadcast_to(widest, num_objects)[:, None], shape)

    centre = rng.normal(size=(num_classes, 32)) * 0.9
    early_epochs = np.array([2, 4, 8, 16, 32, 64])
    early_days = 2 ** np.arange(7)
    detected = np.flatnonzero(rng.random(num_objects) < 0.9)
    shown = rng.choice(num_objects, min(num_shown, num_objects), replace=False)
    image, time, band, mask = _frames(rng, label[shown], num_epochs[shown])
    return Predictions(
        title="semiconformer on sdss_sn_sim/laptop, fold 0",
        classes=CLASSES,
        bands=BANDS,
        scored_against="survey labels",
        object_id=np.array([f"SN{i:05d}" for i in range(num_objects)]),
        label=label,
        label_source=rng.choice(["spectroscopic", "photometric"], num_objects),
        group=np.array([f"SN{i:05d}" for i in range(num_objects)]),
        probability=probability_after(num_epochs),
        spread=spread_after(num_epochs),
        embedding=centre[label] + rng.normal(size=(num_objects, 32)),
        num_epochs=num_epochs,
        early_epochs=early_epochs,
        early_probability=np.stack([probability_after(n) for n in early_epochs]),
        early_spread=np.stack([spread_after(n) for n in early_epochs]),
        detected=detected,
        early_days=early_days,
        early_days_probability=np.stack(
            [probability_after(n)[detected] for n in early_days]
        ),
        baseline_probability={
            "majority": np.tile(np.float32(SHARE), (num_objects, 1)),
            "nuisance": probability_after(num_epochs, weight=0.3),
        },
        shown=shown,
        shown_inputs={
            "image": image,
            "time": time,
            "band": band,
            "epoch_mask": mask,
        },
        hierarchy={"Supernova": np.array([False, True, True, False])},
        by_object=_numbers(rng, num_objects),
        latent_space=_latent_space(rng, shown, num_objects),
    )


def take_objects(predictions, rows):
    """Returns the predictions of these rows, in this order, without example images."""
    p, rows = predictions, np.asarray(rows)
    per_object = ("object_id", "label", "label_source", "group", "probability")
    per_object += ("embedding", "num_epochs", "spread")
    # Row of each detected object -> its place in `detected`.
    of_row = {int(row): e for e, row in enumerate(p.detected)}
    detected = np.array([n for n, row in enumerate(rows) if row in of_row], int)
    which = [of_row[int(row)] for row in rows[detected]]
    return p._replace(
        **{name: np.asarray(getattr(p, name))[rows] for name in per_object},
        early_probability=p.early_probability[:, rows],
        early_spread=p.early_spread[:, rows],
        detected=detected,
        early_days_probability=p.early_days_probability[:, which],
        by_object=ObjectNumbers(*(value[rows] for value in p.by_object)),
        latent_space=None,
        baseline_probability={
            name: value[rows] for name, value in p.baseline_probability.items()
        },
        shown=p.shown[:0],
        shown_inputs={},
    )


def _frames(rng, label, num_epochs, num_pixels=32):
    """Images of a host galaxy and a point source whose flux depends on the class."""
    num_shown, longest = len(label), max(num_epochs, default=1)
    mask = np.arange(longest) < np.asarray(num_epochs).reshape(-1, 1)
    time = np.cumsum(rng.exponential(4, (num_shown, longest)), axis=1)
    time = (time - time[:, :1]) * mask
    band = rng.integers(len(BANDS), size=(num_shown, longest)) * mask
    y, x = np.mgrid[:num_pixels, :num_pixels] - (num_pixels - 1) / 2
    image = np.zeros((num_shown, longest, num_pixels, num_pixels), np.float32)
    for s in range(num_shown):
        dy, dx = rng.normal(scale=3, size=2)
        host = 1.5 * np.exp(-np.hypot((y - dy) / 3, (x - dx) / 5))
        peak = rng.uniform(15, 60)
        flux = [
            3 + rng.normal(size=longest),  # AGN
            9 * np.exp(-(((time[s] - peak) / 18) ** 2)),  # SNIa
            6 * np.exp(-abs(time[s] - peak) / 25),  # SNOther
            6 + 3 * np.sin(time[s] / 3),  # Variable
        ][label[s]]
        width = rng.uniform(1.3, 2.2, longest)[:, None, None]
        star = np.exp(-(y**2 + x**2) / (2 * width**2))
        image[s] = host + flux[:, None, None] * star / width**2
        image[s] += rng.normal(scale=0.25, size=image[s].shape)
    return image * mask[:, :, None, None], time, band, mask


def _numbers(rng, num_objects: int) -> ObjectNumbers:
    magnitude = rng.uniform(15, 20, num_objects)
    magnitude[rng.random(num_objects) < 0.1] = np.nan
    return ObjectNumbers(
        magnitude=magnitude,
        seeing=rng.uniform(1.5, 4, num_objects),
        anomaly_score=rng.normal(size=num_objects),
        cluster=rng.integers(0, 6, num_objects),
    )


def _latent_space(rng, shown: np.ndarray, num_objects: int) -> LatentSpace:
    size = (9, 9, 3)
    num_anomalies = min(12, num_objects)
    return LatentSpace(
        traversals=rng.random((4, 7, *size)),
        traversal_values=np.sort(rng.normal(size=(4, 7)), axis=1),
        cluster_centers=rng.random((6, *size)),
        neighbour_rows=rng.integers(0, num_objects, (len(shown), 5)),
        neighbours=rng.random((len(shown), 5, *size)),
        anomaly_rows=rng.choice(num_objects, num_anomalies, replace=False),
        anomalies=rng.random((num_anomalies, *size)),
    )
