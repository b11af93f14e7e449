"""Augmentation of time series: random views of each object, on the device."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from jaxastro.errors import InputError
from jaxastro.types import Alerts, Inputs, LightCurve


def make_augment(
    *,
    max_epochs: int,
    drop: float = 0.5,
    rotation: float = 180.0,
    rotation_step: float = 0.0,
    flip: bool = True,
    drop_bands: float = 0.0,
    gap: float = 0.0,
    truncate: float = 0.0,
    jitter: float = 0.0,
) -> Callable[[Key[Array, ""], Inputs], Inputs]:
    """Returns augment(key, inputs), which samples one view of every object.

    Steps, in order: truncate the series; drop bands; drop all epochs in a gap in time;
    drop random epochs; keep a random window of at most `max_epochs` epochs, moved to
    the front. All frames of a view are then rotated and flipped in the same way, as
    the sky does not rotate between epochs. Noise is added to light curves.

    Args:
        max_epochs: epochs of a view.
        drop: largest fraction of epochs to drop; the fraction is uniform in [0, drop].
        rotation: largest angle in degrees; angles are uniform in [-rotation, rotation].
        rotation_step: angles are multiples of it, in degrees. 90 permutes pixels and
            keeps their noise; 0 allows any angle and interpolates.
        flip: whether to mirror half of the objects left to right; with rotation by any
            angle this gives every orientation.
        drop_bands: probability to drop each band; at least one observed band is kept.
        gap: longest gap, as a fraction of the time between the first and last epoch;
            the fraction is uniform in [0, gap], and both these epochs are kept.
        truncate: probability to keep only the first n epochs, with n uniform from 3
            (for alerts from 1) to all.
        jitter: standard deviation of the noise added to fluxes, in units of their
            errors; light curves only.
    Raises:
        InputError: if an argument is out of range, or does not apply to the inputs.
    Source: Bairouk et al. 2023, A&A 673, A141, Sect. 3.1; thesis, Sect. 5.2.1.
    Differs: any angle and a flip; the published code rotates by up to 15 degrees or
        flips. Pixels from outside the frame have the value of its edge. Time restarts
        at the first epoch of the view. Dropped bands and gaps are ours. Truncation is
        from SuperNNova, Moller & de Boissiere 2020, MNRAS 491, 4277, where its
        probability is 1.
    """
    for name, share in (("drop", drop), ("drop_bands", drop_bands), ("gap", gap)):
        if not 0 <= share < 1:
            raise InputError(f"augment: {name} {share} is not a fraction in [0, 1).")
    if not 0 <= truncate <= 1:
        raise InputError(
            f"augment: truncate {truncate} is not a probability in [0, 1]."
        )
    if rotation_step < 0:
        raise InputError(f"augment: rotation_step {rotation_step} is below 0 degrees.")
    if jitter < 0:
        raise InputError(f"augment: jitter {jitter} is negative. Use 0 for none.")

    def augment_one(key, series):
        keys = jax.random.split(key, 3)
        # fold_in numbers beyond those of the split, so that all keys differ.
        if truncate:
            series = _truncate(jax.random.fold_in(key, 5), series, truncate)
        observed = _drop_bands(jax.random.fold_in(key, 3), series, drop_bands)
        observed &= ~_in_gap(jax.random.fold_in(key, 4), series.time, observed, gap)
        series = series._replace(epoch_mask=observed)
        series = _window(keys[0], series, max_epochs, drop)
        if isinstance(series, LightCurve):
            noise = jax.random.normal(keys[1], series.flux.shape) * jitter
            return series._replace(flux=series.flux + noise * series.flux_error)
        if jitter:
            raise InputError(
                f"augment: jitter {jitter} for images, which have no errors. Use 0."
            )
        angle = jax.random.uniform(keys[1], (), minval=-1, maxval=1) * rotation
        if rotation_step:
            angle = jnp.round(angle / rotation_step) * rotation_step
        angle, mirror = jnp.deg2rad(angle), jax.random.bernoulli(keys[2]) & flip
        if isinstance(series, Alerts):  # three images per epoch
            layers = jnp.moveaxis(series.stamp, -1, 1)  # t 3 y x
            frames = layers.reshape(-1, *layers.shape[2:])
            rotated = _rotate(frames, angle, mirror).reshape(layers.shape)
            return series._replace(stamp=jnp.moveaxis(rotated, 1, -1))
        return series._replace(image=_rotate(series.image, angle, mirror))

    def augment(key, series):
        if not series.OF_EPOCHS:  # an image computed from the whole object
            wanted = {"drop": drop, "drop_bands": drop_bands, "gap": gap, "flip": flip}
            wanted |= {"truncate": truncate, "jitter": jitter, "rotation": rotation}
            if requested := [name for name, value in wanted.items() if value]:
                raise InputError(
                    f"augment: {', '.join(requested)} for {type(series).__name__} "
                    "input, which has no epochs. Set each to 0, flip to False."
                )
            return series
        num_objects, epochs = series.epoch_mask.shape
        if epochs < max_epochs:
            raise InputError(
                f"augment: views of {max_epochs} epochs need series of at least as "
                f"many; these have {epochs}. Set config.loader.loaded_epochs to "
                f"{max_epochs} or more."
            )
        keys = jax.random.split(key, num_objects)
        return jax.vmap(augment_one)(keys, series)

    return augment


def interleave_views(first: Inputs, second: Inputs) -> Inputs:
    """Interleaves two views by object, so that both stay on the object's device."""

    def interleave(a, b):
        return jnp.stack([a, b], 1).reshape(2 * a.shape[0], *a.shape[1:])

    return jax.tree.map(interleave, first, second)


def switch_views(z: Float[Array, "v d"]) -> Float[Array, "v d"]:
    """Exchanges the rows of the two views of each object, which are interleaved."""
    return z.reshape(-1, 2, z.shape[-1])[:, ::-1].reshape(z.shape)


def _truncate(key: Key[Array, ""], series: Inputs, probability: float) -> Inputs:
    """Keeps the first epochs of one object, at least 3; of alerts at least 1."""
    draw, place = jax.random.uniform(key, (2,))
    observed, fewest = series.epoch_mask, 1 if isinstance(series, Alerts) else 3
    count = observed.sum()
    spare = jnp.maximum(count - fewest, 0)
    last = count - jnp.where(draw < probability, jnp.floor(place * (spare + 1)), 0)
    return series._replace(epoch_mask=observed & (jnp.cumsum(observed) <= last))


def _drop_bands(
    key: Key[Array, ""], series: Inputs, probability: float
) -> Bool[Array, "t"]:
    """Returns the mask of one object without random bands; at least one is kept."""
    draw = jax.vmap(lambda band: jax.random.uniform(jax.random.fold_in(key, band)))
    of_band = jnp.where(series.epoch_mask, draw(series.band), -1)
    return series.epoch_mask & ((of_band >= probability) | (of_band == of_band.max()))


def _in_gap(
    key: Key[Array, ""],
    time: Float[Array, "t"],
    observed: Bool[Array, "t"],
    longest: float,
) -> Bool[Array, "t"]:
    """Returns which epochs are in a random gap between the first and last observed."""
    first = jnp.where(observed, time, jnp.inf).min()
    last = jnp.where(observed, time, -jnp.inf).max()
    share, place = jax.random.uniform(key, (2,)) * jnp.array([longest, 1.0])
    start = first + place * (1 - share) * (last - first)
    return (time > start) & (time < start + share * (last - first)) & (time < last)


def _window(
    key: Key[Array, ""], series: Inputs, max_epochs: int, drop: float
) -> Inputs:
    """Drops random epochs of one object, then keeps a random window of the rest."""
    share_key, keep_key, start_key = jax.random.split(key, 3)
    observed = series.epoch_mask
    share = jax.random.uniform(share_key, maxval=drop)
    draw = jnp.where(observed, jax.random.uniform(keep_key, observed.shape), jnp.inf)
    # The epoch with the smallest draw is kept, so that a view is never empty.
    keep = observed & ((draw >= share) | (draw == draw.min()))
    count = keep.sum()
    spare = jnp.maximum(count - max_epochs, 0)
    start = jax.random.randint(start_key, (), 0, spare + 1)
    place = jnp.cumsum(keep) - 1 - start
    keep &= (place >= 0) & (place < max_epochs)
    # Stable sort: epochs stay in time order, dropped ones move to the end.
    order = jnp.argsort(~keep, stable=True)[:max_epochs]
    kept = {name: getattr(series, name)[order] for name in series.OF_EPOCHS}
    mask = keep[order]
    time = jnp.where(mask, kept["time"] - kept["time"][0], 0)
    return series._replace(**kept | {"time": time, "epoch_mask": mask})


def _rotate(
    image: Float[Array, "t y x"], angle: Float[Array, ""], mirror
) -> Float[Array, "t y x"]:
    """Rotates and mirrors all frames of one object, with bilinear interpolation."""
    frames, height, width = image.shape
    y, x = jnp.mgrid[:height, :width].astype(image.dtype)
    y, x = y - (height - 1) / 2, x - (width - 1) / 2
    x = jnp.where(mirror, -x, x)
    sin, cos = jnp.sin(angle), jnp.cos(angle)
    from_y = jnp.clip(cos * y + sin * x + (height - 1) / 2, 0, height - 1)
    from_x = jnp.clip(cos * x - sin * y + (width - 1) / 2, 0, width - 1)
    low_y = jnp.minimum(jnp.floor(from_y), height - 2).astype(jnp.int32)
    low_x = jnp.minimum(jnp.floor(from_x), width - 2).astype(jnp.int32)
    part_y, part_x = (from_y - low_y)[..., None], (from_x - low_x)[..., None]

    # Time last, so that each of the four gathers copies contiguous rows of epochs.
    pixel = image.reshape(frames, -1).T
    corner = low_y * width + low_x

    def at(offset: int) -> Float[Array, "y x t"]:
        return pixel[corner + offset]

    top = at(0) * (1 - part_x) + at(1) * part_x
    bottom = at(width) * (1 - part_x) + at(width + 1) * part_x
    return jnp.moveaxis(top * (1 - part_y) + bottom * part_y, -1, 0)
