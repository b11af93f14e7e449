"""CNN+GRU: a CNN for every frame and a GRU over the frames."""

import flax.linen as nn

from jaxastro.layers.frame_cnn import FrameCnn
from jaxastro.layers.frames import Frames
from jaxastro.layers.gaps import append_gaps
from jaxastro.layers.head import Head
from jaxastro.layers.recurrent import Recurrent
from jaxastro.models.requirements import (
    Requirements,
    check_band_rows,
    check_merged_bands,
)
from jaxastro.types import ModelOutput, Series, Task


class CnnGru(Requirements, nn.Module):
    """Classifies an image time series, after TAO-Net.

    Three convolutions encode every frame. A bidirectional GRU reads the frames, and its
    two last states are classified.

    This is not a reproduction: neither the layers of TAO-Net nor those of the CNN+GRU
    in the comparison with ConvEntion were published. Our sizes match the published
    number of parameters of the latter for four classes: 1.993 million for frames of
    five bands (here 1,992,868), 1.992 million for one band (here 1,992,004).

    Source: Gomez et al. 2020, MNRAS 499, 3130; budget: Bairouk et al. 2023, A&A 673,
        A141, Table 4.
    Differs: all sizes and the masking of padded epochs are ours.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    widths: tuple[int, ...] = (24, 48, 96)  # channels; each halves the size
    hidden: int = 512  # units of the GRU in each direction
    class_hidden: int = 64  # units of the classifier's hidden layer
    dropout: float = 0.3  # before and after the hidden layer
    frames: str = "merged"
    bands: int = 5  # number of bands of the survey: channels of merged frames
    gap: float = 0.5  # days without an epoch that separate merged nights
    band_rows: int = 10  # maps of embedded frames; row 0 is for padding
    encoding: str = "none"
    dtype: str = "float32"  # of products; parameters and states are float32

    inputs = Series
    any_length = True

    def check(self, task: Task) -> None:
        super().check(task)
        check_band_rows(task, self.band_rows)
        if self.frames == "merged":
            check_merged_bands(task, self.bands)

    @nn.compact
    def __call__(self, inputs: Series, *, train: bool) -> ModelOutput:
        frames = Frames(
            self.frames, self.bands, self.gap, self.band_rows, self.dtype, name="frames"
        )
        x, time, mask = frames(inputs)
        x = FrameCnn(self.widths, batch_norm=False, name="cnn")(x, mask, train)
        x = append_gaps(x, time, mask, self.encoding)
        _, embedding = Recurrent("gru", self.hidden, name="gru")(x, mask)
        if self.num_classes == 0:
            return ModelOutput(embedding[:, :0], embedding, {})
        head = Head(self.class_hidden, self.num_classes, self.dropout, name="head")
        return ModelOutput(head(embedding, train), embedding, {})
