"""Optimizers and learning-rate schedules."""

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
    """Returns an optimizer with warm-up and decay of the learning rate.

        0 .. warmup_steps    linear from 0 to learning_rate
        .. num_steps         decay="cosine": half a cosine to 0; "constant": constant

    Args:
        name: "adam", "adamw" or "adamw_amsgrad". The last is AdamW with amsgrad, as in
            the published code. It takes the largest second moment after its bias
            correction; torch takes it before.
        learning_rate: after warm-up.
        num_steps: of training.
        warmup_steps: less than num_steps.
        decay: "cosine" or "constant".
        weight_decay: multiplied by the learning rate; must be 0 for "adam".
        clip: largest global norm of the gradients; 0 for no limit.
        train_only: groups of parameters to train, such as ("head",): first names of
            their paths. All other parameters keep their bits. Empty: train all.
    Raises:
        InputError: if an argument is out of range, or a group does not exist.
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
                f"parameters of this model: {', '.join(params)}."
            )
        return {name: name in train_only for name in params}

    return optax.partition({True: optimizer, False: optax.set_to_zero()}, groups)


def make_schedule(
    learning_rate: float, *, num_steps: int, warmup_steps: int, decay: str
) -> optax.Schedule:
    """Returns the learning rate as a function of the step."""
    rest = num_steps - warmup_steps
    tails = {
        "cosine": optax.cosine_decay_schedule(learning_rate, rest),
        "constant": optax.constant_schedule(learning_rate),
    }
    if decay not in tails:
        raise InputError(f"No decay named {decay!r}. Known: {', '.join(tails)}.")
    warmup = optax.linear_schedule(0.0, learning_rate, max(warmup_steps, 1))
    return optax.join_schedules([warmup, tails[decay]], [warmup_steps])
