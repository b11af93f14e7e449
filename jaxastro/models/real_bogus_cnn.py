"""Real/bogus CNN for colour difference images."""

import flax.linen as nn

from jaxastro.errors import InputError
from jaxastro.models.requirements import Requirements
from jaxastro.types import Image, ModelOutput

FORMS = ("initial", "refined")
DROPOUT = (0.25, 0.25, 0.4, 0.3)  # of "refined": after each pool and the hidden layer


class RealBogusCnn(Requirements, nn.Module):
    """Classifies an image by three convolutions and one hidden layer.

        [conv 3x3, max pool] three times; hidden layer, logits
    form="refined" has leaky relu, and dropout after each layer; form="initial" has relu
    and no dropout. It has 1,420,738 parameters for 69 x 69 pixels in three colours and
    two classes.

    Source: Negm 2021, figshare 13720948, and its public notebook.
    Differs: the first convolution of "refined" has a leaky relu only. The notebook has
        a relu before it, which makes it useless.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    form: str = "refined"
    widths: tuple[int, ...] = (32, 64, 128)  # channels of the convolutions
    hidden: int = 128  # units of the hidden layer

    inputs = Image

    @nn.compact
    def __call__(self, inputs: Image, *, train: bool) -> ModelOutput:
        if self.form not in FORMS:
            raise InputError(f"form {self.form!r}. Known: {', '.join(FORMS)}.")
        is_refined = self.form == "refined"

        def rectify(x):
            return nn.leaky_relu(x, 0.1) if is_refined else nn.relu(x)

        def drop(x, share):
            share = share if is_refined else 0.0
            return nn.Dropout(share, deterministic=not train)(x)

        x = inputs.image
        for i, width in enumerate(self.widths):
            x = rectify(nn.Conv(width, (3, 3), name=f"conv_{i}")(x))
            x = drop(nn.max_pool(x, (2, 2), strides=(2, 2), padding="SAME"), DROPOUT[i])
        x = rectify(nn.Dense(self.hidden, name="hidden")(x.reshape(x.shape[0], -1)))
        x = drop(x, DROPOUT[-1])
        if self.num_classes == 0:
            return ModelOutput(x[:, :0], x, {})
        return ModelOutput(nn.Dense(self.num_classes, name="logits")(x), x, {})
