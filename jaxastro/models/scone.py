"""SCONE: a small network on heat maps of light curves."""

import flax.linen as nn

from jaxastro.models.requirements import Requirements
from jaxastro.types import Image, ModelOutput


class Scone(Requirements, nn.Module):
    """Classifies a heat map by four convolutions, each over all wavelengths at once.

    A kernel is as high as the map and three days wide, and there are as many as rows:
    what they find stands in place of the rows, for the next layer to look at.
        [conv, elu, norm] twice, pool; the same again; one hidden layer, logits
    Of 32 by 180 pixels in two layers, four classes, 22,540 parameters are trained, and
    8 statistics kept; of one class 22,441.

    Source: Qu et al. 2021, arXiv 2106.04370; its public code, of June 2021.
    Differs: the published code of February 2021 laid the channels out as rows by a
        reshape, which scrambles them; here, as in its correction, they are transposed.
        The hidden layer's units are the embedding. Statistics of the norms keep 0.9 of
        the old ones, not 0.99: short runs would be tested on those of the start.
    """

    num_classes: int  # 0 builds the encoder alone, for methods with heads of their own
    hidden: int = 32  # units of the hidden layer
    dropout: tuple[float, float] = (0.5, 0.3)  # before and after it

    inputs = Image

    @nn.compact
    def __call__(self, inputs: Image, *, train: bool) -> ModelOutput:
        x = inputs.image.swapaxes(1, 2)  # b t y d
        for i in range(4):
            rows = x.shape[2]
            # A kernel as high as the map is one in time alone, whose channels are rows.
            x = x.reshape(*x.shape[:2], -1)
            x = nn.elu(nn.Conv(rows, (3,), name=f"conv_{i}")(x))
            x = x[..., None]  # b t y 1: what was found stands as rows
            x = nn.BatchNorm(not train, momentum=0.9, name=f"norm_{i}")(x)
            if i % 2:
                x = nn.max_pool(x, (2, 2), strides=(2, 2))
        before, after = (nn.Dropout(p, deterministic=not train) for p in self.dropout)
        x = before(x.reshape(len(x), -1))
        x = nn.relu(nn.Dense(self.hidden, name="hidden")(x))
        if self.num_classes == 0:
            return ModelOutput(x[:, :0], x, {})
        return ModelOutput(nn.Dense(self.num_classes, name="logits")(after(x)), x, {})
