"""Random light curves in the form of model inputs."""

import numpy as np

from jaxastro.types import LightCurve


def make_curves(*lengths, epochs=12, bands=3, columns=2, seed=0):
    """Objects with these numbers of epochs, several a night; the first has a gap."""
    generator = np.random.default_rng(seed)
    shape = (len(lengths), epochs)
    mask = np.arange(epochs) < np.array(lengths)[:, None]
    mask[0, epochs // 2] = False
    night = 5.0 * (np.arange(epochs) // 3)
    time = night + 0.1 * (np.arange(epochs) % 3) - 0.05 * generator.random(shape)
    return LightCurve(
        flux=generator.normal(size=shape).astype(np.float32),
        flux_error=generator.uniform(0.1, 1, shape).astype(np.float32),
        time=np.maximum(time, 0).astype(np.float32),
        band=generator.integers(0, bands, shape).astype(np.int32),
        epoch_mask=mask,
        feature=generator.normal(size=(len(lengths), columns)).astype(np.float32),
        feature_mask=generator.random((len(lengths), columns)) < 0.7,
    )


def of_epochs(curves, which):
    """The light curves with only these epochs, in this order."""
    return curves._replace(
        **{n: getattr(curves, n)[:, which] for n in curves.OF_EPOCHS}
    )


def of_objects(curves, which):
    """Only these light curves, in this order."""
    return LightCurve(*(column[which] for column in curves))
