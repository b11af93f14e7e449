"""Classifier of an embedding."""

import flax.linen as nn
from jaxtyping import Array, Float


class Head(nn.Module):
    """Classifies pooled maps: dropout, hidden layer, dropout, logits.

    Source: Bairouk et al. 2023, A&A 673, A141; sizes: published code.
    Differs: none.
    """

    hidden: int
    num_classes: int
    dropout: float

    @nn.compact
    def __call__(self, x: Float[Array, "b d"], train: bool) -> Float[Array, "b c"]:
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        x = nn.relu(nn.Dense(self.hidden, name="hidden")(x))
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        return nn.Dense(self.num_classes, name="logits")(x)
