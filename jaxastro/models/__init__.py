"""All models, by the name used in configs."""

import flax.linen as nn

from jaxastro.errors import InputError
from jaxastro.models.cnn_dmdt import CnnDmdt
from jaxastro.models.cnn_gru import CnnGru
from jaxastro.models.cnn_lstm import CnnLstm
from jaxastro.models.cnn_lstm_folded import CnnLstmFolded
from jaxastro.models.convention import ConvEntion
from jaxastro.models.deep_hits import DeepHits
from jaxastro.models.frame_transformer import FrameTransformer
from jaxastro.models.hybrid import Hybrid
from jaxastro.models.lstm import Lstm
from jaxastro.models.real_bogus_cnn import RealBogusCnn
from jaxastro.models.scone import Scone
from jaxastro.models.sits_bert import SitsBert
from jaxastro.models.stamp_classifier import StampClassifier
from jaxastro.models.stamp_encoder import StampEncoder
from jaxastro.models.supernnova import SuperNNova
from jaxastro.models.temporal_stamps import TemporalStamps
from jaxastro.models.visit_transformer import VisitTransformer
from jaxastro.models.visit_transformer_of_light_curves import (
    VisitTransformerOfLightCurves,
)

MODELS = {
    "convention": ConvEntion,
    "cnn_dmdt": CnnDmdt,
    "cnn_gru": CnnGru,
    "cnn_lstm": CnnLstm,
    "cnn_lstm_folded": CnnLstmFolded,
    "deep_hits": DeepHits,
    "frame_transformer": FrameTransformer,
    "hybrid": Hybrid,
    "lstm": Lstm,
    "real_bogus_cnn": RealBogusCnn,
    "scone": Scone,
    "sits_bert": SitsBert,
    "stamp_classifier": StampClassifier,
    "stamp_encoder": StampEncoder,
    "supernnova": SuperNNova,
    "temporal_stamps": TemporalStamps,
    "visit_transformer": VisitTransformer,
    "visit_transformer_of_light_curves": VisitTransformerOfLightCurves,
}


def make_model(name: str, **args) -> nn.Module:
    """Builds a model from its name and the arguments of its constructor.

    Raises:
        InputError: if there is no such model.
    """
    if name not in MODELS:
        raise InputError(
            f"No model named {name!r}. Known models: {', '.join(MODELS)}. To add one, "
            "write its file and list it in jaxastro/models/__init__.py."
        )
    return MODELS[name](**args)
