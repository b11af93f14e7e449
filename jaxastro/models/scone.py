"""SCONE: a small CNN for heat maps of light curves."""

import flax.linen as nn

from jaxastro.models.requirements import Requirements
from jaxastro.types import Image, ModelOutput


class Scone(Requirements, nn.Module):
    """Classifies a heat map by four convolutions, each over all wavelengths.

    A kernel is as high as the map and three days wide. There are as many kernels as
    rows, and their outputs are the rows of the input of the next layer.
        [conv, elu, norm] twice, pool; the same again; one hidden layer, logits
    It has 22,540 trained parameters and 8 statistics for 32 x 180 pixels, two channels
    and four classes; 22,441 parameters for one class.

    Source: Qu et al. 2021, arXiv 2106.04370; its public code of June 2021.
    Differs: the published code of February 2021 turned channels into rows by a reshape,
        which mixes them up; here, as in the correction, they are transposed. The hidden
        layer is the embedding. The momentum of the batch norms is 0.9, not 0.99, with
        which short runs would be evaluated with initial statistics.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    hidden: int = 32  # units of the hidden layer
    dropout: tuple[float, float] = (0.5, 0.3)  # before and after the hidden layer

    inputs = Image

    @nn.compact
    def __call__(self, inputs: Image, *, train: bool) -> ModelOutput:
        x = inputs.image.swapaxes(1, 2)  # b t y d
        for i in range(4):
            rows = x.shape[2]
            # A kernel as high as the map is a 1-D kernel in time with rows as channels.
            x = x.reshape(*x.shape[:2], -1)
            x = nn.elu(nn.Conv(rows, (3,), name=f"conv_{i}")(x))
            x = x[..., None]  # b t y 1: the outputs become rows
            x = nn.BatchNorm(not train, momentum=0.9, name=f"norm_{i}")(x)
            if i % 2:
                x = nn.max_pool(x, (2, 2), strides=(2, 2))
        before, after = (nn.Dropout(p, deterministic=not train) for p in self.dropout)
        x = before(x.reshape(x.shape[0], -1))
        x = nn.relu(nn.Dense(self.hidden, name="hidden")(x))
        if self.num_classes == 0:
            return ModelOutput(x[:, :0], x, {})
        return ModelOutput(nn.Dense(self.num_classes, name="logits")(after(x)), x, {})
