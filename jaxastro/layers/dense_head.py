"""Dense classifier layers, optionally with catalogue features as input."""

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
    """Applies hidden layers and a logits layer; the last hidden layer is the embedding.

    The layers are named hidden_0, hidden_1, ... and logits in the calling model.

    Args:
        num_classes: 0 omits the logits layer.
        hidden: units of the hidden layers.
        dropout: rate before each dense layer.
        features: whether to append catalogue features and their mask to x.
    Source: Carraro, thesis on variable stars of ZTF, Sect. 3.2.
    Differs: relu, dropout and features are ours; the source specifies none.
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
