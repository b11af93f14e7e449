"""Dense layers that classify, told a catalogue's numbers where asked."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxastro.types import FoldedAndMap, Image, ModelOutput


def dense_head(
    x: Float[Array, "b d"],
    inputs: Image | FoldedAndMap,
    *,
    num_classes: int,
    hidden: tuple[int, ...],
    dropout: float,
    features: bool,
    train: bool,
) -> ModelOutput:
    """Returns logits after some hidden layers; the last of those is the embedding.

    Its layers are named hidden_0, hidden_1 and logits, in the model that calls it.

    Args:
        num_classes: 0 leaves the logits away.
        hidden: units of the hidden layers.
        dropout: before each dense layer.
        features: whether the catalogue's numbers, and which are known, join x.
    Source: Carraro, thesis on variable stars of ZTF, Sect. 3.2.
    Differs: rectifiers, dropout and the numbers are ours, for none are given.
    """
    if features:
        known = jnp.where(inputs.feature_mask, inputs.feature, 0)
        x = jnp.concatenate([x, known, inputs.feature_mask], -1)
    for i, width in enumerate(hidden):
        x = nn.Dropout(dropout, deterministic=not train)(x)
        x = nn.relu(nn.Dense(width, name=f"hidden_{i}")(x))
    if num_classes == 0:
        return ModelOutput(x[:, :0], x, {})
    dropped = nn.Dropout(dropout, deterministic=not train)(x)
    return ModelOutput(nn.Dense(num_classes, name="logits")(dropped), x, {})
