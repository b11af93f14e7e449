"""CNN+LSTM: a small network on every frame, two layers of LSTM over the frames."""

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

    Four convolutions with batch norms see every frame alone; two layers of LSTM read
    the frames in both directions of time; the last states of the second are classified.

    After, not a reproduction: neither the layers of that RCNN could be had nor those
    of the CNN+LSTM that ConvEntion was compared with. The sizes are ours, chosen to
    meet the published budget of the latter for four classes: 2.190 million parameters
    where frames have five bands (2,190,068 here), 2.189 where one (2,189,492).

    Source: Carrasco-Davis et al. 2019, PASP 131, 108006; budget: Bairouk et al. 2023,
        A&A 673, A141, Table 4.
    Differs: all sizes are ours, and so are the masks of padded epochs, of the batch
        norms too.
    """

    num_classes: int  # 0 builds the encoder alone, for methods with heads of their own
    widths: tuple[int, ...] = (16, 16, 32, 32)  # channels; each layer halves the frames
    hidden: int = 256  # units of the LSTM in each direction
    num_layers: int = 2  # of the LSTM
    dropout: float = 0.3  # before the class layer
    frames: str = "merged"
    bands: int = 5  # of the survey: channels of merged frames
    gap: float = 0.5  # days without an epoch that end the night of a merged frame
    band_rows: int = 10  # maps of embedded frames, row 0 padding's
    encoding: str = "none"
    dtype: str = "float32"  # of the products; parameters, norms and states: float32

    inputs = Series
    any_length = True

    def check(self, task: Task) -> None:
        super().check(task)
        check_band_rows(task, self.band_rows)
        if self.frames == "merged":
            check_merged_bands(task, self.bands)

    @nn.compact
    def __call__(self, inputs: Series, *, train: bool) -> ModelOutput:
        of_frames = (self.frames, self.bands, self.gap, self.band_rows, self.dtype)
        x, time, mask = Frames(*of_frames, name="frames")(inputs)
        x = FrameCnn(self.widths, batch_norm=True, name="cnn")(x, mask, train)
        x = append_gaps(x, time, mask, self.encoding)
        lstm = Recurrent("lstm", self.hidden, self.num_layers, name="lstm")
        _, embedding = lstm(x, mask)
        if self.num_classes == 0:
            return ModelOutput(embedding[:, :0], embedding, {})
        x = nn.Dropout(self.dropout, deterministic=not train)(embedding)
        return ModelOutput(nn.Dense(self.num_classes, name="head")(x), embedding, {})
