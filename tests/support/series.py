"""Image time series for tests of models, methods and the loader."""

import numpy as np

from jaxastro.types import Series


def make_series(image, time, band, epoch_mask) -> Series:
    """Returns a series of frames whose PSF is 3 pixels wide and whose noise is 1."""
    shape = np.shape(time)
    return Series(
        image=image,
        time=time,
        band=band,
        psf_fwhm=np.full(shape, 3, np.float32),
        noise=np.ones(shape, np.float32),
        epoch_mask=epoch_mask,
    )
