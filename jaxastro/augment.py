"""Views of a time series: the same object seen another way, on the device."""

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
    """Returns augment(key, series), which draws one view of every object.

    In order: the series may end early; random bands are dropped whole; then all epochs
    within a random gap in time; then random epochs; a random window of at most
    `max_epochs` of those left is kept, moved to the front. Frames are rotated and
    flipped, all of a view alike: the sky does not turn between epochs. Light curves are
    drawn anew within their errors.

    Args:
        max_epochs: epochs of a view.
        drop: the largest share of epochs dropped; the share is uniform in [0, drop].
        rotation: largest angle, degrees, uniform in [-rotation, rotation].
        rotation_step: of which angles are multiples, degrees; at 90 pixels stay whole
            and their noise as it is, at 0 they are interpolated between.
        flip: whether to mirror, left to right, half of the objects; with rotation
            by any angle this gives every orientation.
        drop_bands: chance of each band to be dropped; one that the object has stays.
        gap: the longest gap, as a share of the time between the first epoch and the
            last; the share is uniform in [0, gap], and both these epochs stay.
        truncate: chance of an object to end after n epochs, n uniform from 3 to all;
            of alerts from 1.
        jitter: of the fluxes of light curves, in units of their errors.
    Source: Bairouk et al. 2023, A&A 673, A141, Sect. 3.1; thesis, Sect. 5.2.1.
    Differs: any angle and a flip, where the published code rotates by up to 15
        degrees or flips; pixels turned in from outside the frame are those of its
        edge; time restarts at the first epoch of the view. Dropped bands and gaps
        are ours. Truncation is that of SuperNNova, Moller & de Boissiere 2020, MNRAS
        491, 4277, where its chance is 1.
    """
    for name, share in (("drop", drop), ("drop_bands", drop_bands), ("gap", gap)):
        if not 0 <= share < 1:
            raise InputError(f"augment: {name} {share} is not a share in [0, 1).")
    if not 0 <= truncate <= 1:
        raise InputError(f"augment: truncate {truncate} is not a chance in [0, 1].")
    if rotation_step < 0:
        raise InputError(f"augment: rotation_step {rotation_step} is below 0 degrees.")
    if jitter < 0:
        raise InputError(f"augment: jitter {jitter} is negative. Use 0 for none.")

    def augment_one(key, series):
        keys = jax.random.split(key, 3)
        # Numbers beyond those of the split, so that its keys are what they were.
        if truncate:
            series = _early(jax.random.fold_in(key, 5), series, truncate)
        seen = _some_bands(jax.random.fold_in(key, 3), series, drop_bands)
        seen &= ~_in_gap(jax.random.fold_in(key, 4), series.time, seen, gap)
        series = series._replace(epoch_mask=seen)
        series = _window(keys[0], series, max_epochs, drop)
        if isinstance(series, LightCurve):
            luck = jax.random.normal(keys[1], series.flux.shape) * jitter
            return series._replace(flux=series.flux + luck * series.flux_error)
        if jitter:
            raise InputError(
                f"augment: jitter {jitter} of images, which have no errors. Use 0."
            )
        angle = jax.random.uniform(keys[1], (), minval=-1, maxval=1) * rotation
        if rotation_step:
            angle = jnp.round(angle / rotation_step) * rotation_step
        angle, mirror = jnp.deg2rad(angle), jax.random.bernoulli(keys[2]) & flip
        if isinstance(series, Alerts):  # three images an epoch
            layers = jnp.moveaxis(series.stamp, -1, 1)  # t 3 y x
            frames = layers.reshape(-1, *layers.shape[2:])
            turned = _turn(frames, angle, mirror).reshape(layers.shape)
            return series._replace(stamp=jnp.moveaxis(turned, 1, -1))
        return series._replace(image=_turn(series.image, angle, mirror))

    def augment(key, series):
        if not series.OF_EPOCHS:  # a drawing
            wanted = {"drop": drop, "drop_bands": drop_bands, "gap": gap, "flip": flip}
            wanted |= {"truncate": truncate, "jitter": jitter, "rotation": rotation}
            if asked := [name for name, value in wanted.items() if value]:
                raise InputError(
                    f"augment: {', '.join(asked)} of drawings, which have no epochs "
                    "and no sky. Set each to 0, flip to False."
                )
            return series
        num_objects, epochs = series.epoch_mask.shape
        if epochs < max_epochs:
            raise InputError(
                f"augment: series of {epochs} epochs for views of {max_epochs}. Load "
                "(pad to) at least as many epochs as a view has."
            )
        keys = jax.random.split(key, num_objects)
        return jax.vmap(augment_one)(keys, series)

    return augment


def interleave_views(first: Inputs, second: Inputs) -> Inputs:
    """Puts view beside view: an object's stay on the device that holds it."""

    def one(a, b):
        return jnp.stack([a, b], 1).reshape(2 * len(a), *a.shape[1:])

    return jax.tree.map(one, first, second)


def switch_views(z: Float[Array, "v d"]) -> Float[Array, "v d"]:
    """Returns, for each of views that lie beside each other, the row of the other."""
    return z.reshape(-1, 2, z.shape[-1])[:, ::-1].reshape(z.shape)


def _early(key: Key[Array, ""], series: Inputs, chance: float) -> Inputs:
    """Ends one object's series early by chance, but not before its third epoch.

    One alert is enough to ask who sent it.
    """
    luck, place = jax.random.uniform(key, (2,))
    seen, fewest = series.epoch_mask, 1 if isinstance(series, Alerts) else 3
    count = seen.sum()
    spare = jnp.maximum(count - fewest, 0)
    last = count - jnp.where(luck < chance, jnp.floor(place * (spare + 1)), 0)
    return series._replace(epoch_mask=seen & (jnp.cumsum(seen) <= last))


def _some_bands(key: Key[Array, ""], series: Inputs, chance: float) -> Bool[Array, "t"]:
    """Drops every band of one object by chance, but not all that were observed."""
    draw = jax.vmap(lambda band: jax.random.uniform(jax.random.fold_in(key, band)))
    luck = jnp.where(series.epoch_mask, draw(series.band), -1)
    return series.epoch_mask & ((luck >= chance) | (luck == luck.max()))


def _in_gap(
    key: Key[Array, ""], time: Float[Array, "t"], seen: Bool[Array, "t"], longest: float
) -> Bool[Array, "t"]:
    """Returns which epochs lie in a random gap between the first seen and the last."""
    first = jnp.where(seen, time, jnp.inf).min()
    last = jnp.where(seen, time, -jnp.inf).max()
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
    luck = jnp.where(observed, jax.random.uniform(keep_key, observed.shape), jnp.inf)
    # The luckiest epoch always stays: a view is never empty.
    keep = observed & ((luck >= share) | (luck == luck.min()))
    count = keep.sum()
    spare = jnp.maximum(count - max_epochs, 0)
    start = jax.random.randint(start_key, (), 0, spare + 1)
    place = jnp.cumsum(keep) - 1 - start
    keep &= (place >= 0) & (place < max_epochs)
    # stable: epochs stay in time order, those not kept go to the end
    order = jnp.argsort(~keep, stable=True)[:max_epochs]
    kept = {name: getattr(series, name)[order] for name in series.OF_EPOCHS}
    mask = keep[order]
    time = jnp.where(mask, kept["time"] - kept["time"][0], 0)
    return series._replace(**kept | {"time": time, "epoch_mask": mask})


def _turn(
    image: Float[Array, "t y x"], angle: Float[Array, ""], mirror
) -> Float[Array, "t y x"]:
    """Rotates and mirrors all frames of one object alike, by bilinear interpolation."""
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

    # Time last: each of the four gathers then copies whole rows of epochs.
    pixel = image.reshape(frames, -1).T
    corner = low_y * width + low_x

    def at(offset: int) -> Float[Array, "y x t"]:
        return pixel[corner + offset]

    top = at(0) * (1 - part_x) + at(1) * part_x
    bottom = at(width) * (1 - part_x) + at(width + 1) * part_x
    return jnp.moveaxis(top * (1 - part_y) + bottom * part_y, -1, 0)
