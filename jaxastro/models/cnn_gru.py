"""CNN+GRU: a small network on every frame, a GRU over the frames."""

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

    Three convolutions see every frame alone; a GRU reads the frames in both directions
    of time; its two last states are classified.

    After, not a reproduction: neither the layers of TAO-Net were published nor those
    of the CNN+GRU that ConvEntion was compared with. The sizes are ours, chosen to meet
    the published budget of the latter for four classes: 1.993 million parameters where
    frames have five bands (1,992,868 here), 1.992 where they have one (1,992,004).

    Source: Gomez et al. 2020, MNRAS 499, 3130; budget: Bairouk et al. 2023, A&A 673,
        A141, Table 4.
    Differs: all sizes are ours, and so is the mask of padded epochs.
    """

    num_classes: int  # 0 builds the encoder alone, for methods with heads of their own
    widths: tuple[int, ...] = (24, 48, 96)  # channels; each layer halves the frames
    hidden: int = 512  # units of the GRU in each direction
    class_hidden: int = 64  # units of the classifier's hidden layer
    dropout: float = 0.3  # before and after it
    frames: str = "merged"
    bands: int = 5  # of the survey: channels of merged frames
    gap: float = 0.5  # days without an epoch that end the night of a merged frame
    band_rows: int = 10  # maps of embedded frames, row 0 padding's
    encoding: str = "none"
    dtype: str = "float32"  # of the products; parameters and states: float32

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
        x = FrameCnn(self.widths, batch_norm=False, name="cnn")(x, mask, train)
        x = append_gaps(x, time, mask, self.encoding)
        _, embedding = Recurrent("gru", self.hidden, name="gru")(x, mask)
        if self.num_classes == 0:
            return ModelOutput(embedding[:, :0], embedding, {})
        head = Head(self.class_hidden, self.num_classes, self.dropout, name="head")
        return ModelOutput(head(embedding, train), embedding, {})
