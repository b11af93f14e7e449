"""CNN+LSTM: a CNN for every frame and a two-layer LSTM over the frames."""

import flax.linen as nn

from jaxastro.layers.frame_cnn import FrameCnn
from jaxastro.layers.frames import Frames
from jaxastro.layers.gaps import append_gaps
from jaxastro.layers.recurrent import Recurrent
from jaxastro.models.requirements import (
    Requirements,
    check_band_rows,
    check_merged_bands,
)
from jaxastro.types import ModelOutput, Series, Task


class CnnLstm(Requirements, nn.Module):
    """Classifies an image time series, after the RCNN of Carrasco-Davis et al.

    Four convolutions with batch norm encode every frame. Two bidirectional LSTM layers
    read the frames, and the last states of the second are classified.

    This is not a reproduction: neither the layers of that RCNN nor those of the
    CNN+LSTM in the comparison with ConvEntion are available. Our sizes match the
    published number of parameters of the latter for four classes: 2.190 million for
    frames of five bands (here 2,190,068), 2.189 million for one (here 2,189,492).

    Source: Carrasco-Davis et al. 2019, PASP 131, 108006; budget: Bairouk et al. 2023,
        A&A 673, A141, Table 4.
    Differs: all sizes are ours, and so is the masking of padded epochs, also in batch
        norms.
    """

    num_classes: int  # 0: encoder without classifier, for methods with own heads
    widths: tuple[int, ...] = (16, 16, 32, 32)  # channels; each halves the size
    hidden: int = 256  # units of the LSTM in each direction
    num_layers: int = 2  # of the LSTM
    dropout: float = 0.3  # before the logits
    frames: str = "merged"
    bands: int = 5  # number of bands of the survey: channels of merged frames
    gap: float = 0.5  # days without an epoch that separate merged nights
    band_rows: int = 10  # maps of embedded frames; row 0 is for padding
    encoding: str = "none"
    dtype: str = "float32"  # of products; parameters, norms and states are float32

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
        x = FrameCnn(self.widths, batch_norm=True, name="cnn")(x, mask, train)
        x = append_gaps(x, time, mask, self.encoding)
        lstm = Recurrent("lstm", self.hidden, self.num_layers, name="lstm")
        _, embedding = lstm(x, mask)
        if self.num_classes == 0:
            return ModelOutput(embedding[:, :0], embedding, {})
        x = nn.Dropout(self.dropout, deterministic=not train)(embedding)
        return ModelOutput(nn.Dense(self.num_classes, name="head")(x), embedding, {})
