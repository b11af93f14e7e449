"""Optimizers and their schedule, from plain numbers."""

from collections.abc import Sequence

import optax

from jaxastro.errors import InputError

OPTIMIZERS = ("adam", "adamw", "adamw_amsgrad")


def make_optimizer(
    name: str,
    *,
    learning_rate: float,
    num_steps: int,
    warmup_steps: int = 0,
    decay: str = "cosine",
    weight_decay: float = 0.0,
    clip: float = 0.0,
    train_only: Sequence[str] = (),
) -> optax.GradientTransformation:
    """Returns an optimizer whose learning rate warms up, then decays.

        0 .. warmup_steps    linear from 0 to learning_rate
        .. num_steps         decay="cosine": half a cosine down to 0; "constant": flat

    Args:
        name: "adam"; "adamw"; "adamw_amsgrad", which optax lacks: as the published
            code's (torch AdamW with amsgrad), but optax takes the largest second
            moment after the correction of its bias, torch before.
        weight_decay: times the learning rate; "adam" has none.
        clip: largest global norm of the gradients; 0 for no limit.
        train_only: groups of parameters, the first names of their paths, such as
            ("head",); all others stay as they are, to the bit. None given: all learn.
    """
    if name not in OPTIMIZERS:
        raise InputError(
            f"No optimizer named {name!r}. Known: {', '.join(OPTIMIZERS)}."
        )
    if weight_decay and name == "adam":
        raise InputError(
            f"weight_decay {weight_decay} with adam, which has none. Use adamw, or set "
            "weight_decay to 0."
        )
    if clip < 0:
        raise InputError(f"clip {clip} is not a norm. Use 0 for no limit.")
    if not 0 <= warmup_steps < num_steps:
        raise InputError(
            f"{warmup_steps} warm-up steps of {num_steps}. Warm-up must end before "
            "training does."
        )
    schedule = make_schedule(
        learning_rate, num_steps=num_steps, warmup_steps=warmup_steps, decay=decay
    )
    scale = optax.scale_by_learning_rate(schedule)
    decay_weights = optax.add_decayed_weights(weight_decay)
    parts = {
        "adam": (optax.scale_by_adam(), scale),
        "adamw": (optax.scale_by_adam(), decay_weights, scale),
        "adamw_amsgrad": (optax.scale_by_amsgrad(), decay_weights, scale),
    }[name]
    limit = optax.clip_by_global_norm(clip) if clip else optax.identity()
    optimizer = optax.chain(limit, *parts)
    if not train_only:
        return optimizer

    def groups(params: dict) -> dict:
        unknown = [name for name in train_only if name not in params]
        if unknown:
            raise InputError(
                f"train_only has {', '.join(map(repr, unknown))}. The groups of "
                f"parameters that there are: {', '.join(params)}."
            )
        return {name: name in train_only for name in params}

    return optax.partition({True: optimizer, False: optax.set_to_zero()}, groups)


def make_schedule(
    learning_rate: float, *, num_steps: int, warmup_steps: int, decay: str
) -> optax.Schedule:
    """Returns step -> learning rate."""
    rest = num_steps - warmup_steps
    tails = {
        "cosine": optax.cosine_decay_schedule(learning_rate, rest),
        "constant": optax.constant_schedule(learning_rate),
    }
    if decay not in tails:
        raise InputError(f"No decay named {decay!r}. Known: {', '.join(tails)}.")
    warmup = optax.linear_schedule(0.0, learning_rate, max(warmup_steps, 1))
    return optax.join_schedules([warmup, tails[decay]], [warmup_steps])
