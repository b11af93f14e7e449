"""Extreme light curves: finite probabilities, or an error with a message."""

import functools

import jax
import numpy as np
import pytest
from support.runs import smoke, task_of

from configs import (
    cnn_dmdt,
    cnn_lstm_folded,
    hybrid,
    lstm,
    sits_bert,
    supernnova,
    supernnova_bayes,
)
from jaxastro.data.light_curve import make_light_curve_record
from jaxastro.errors import RecordError
from jaxastro.representations import REPRESENTATIONS
from jaxastro.runs.model_building import build_model
from jaxastro.runs.task import blank_inputs
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["ztf_periodic"]
NETWORKS = (lstm, supernnova, supernnova_bayes, sits_bert)
DRAWINGS = (cnn_dmdt, cnn_lstm_folded, hybrid)
NORMALISATIONS = {
    "light_curve": ("asinh", "log", "peak", "relative"),
    "dmdt": ("share", "ceil"),
    "folded": ("fitted", "harmonic"),
    "folded_and_map": ("fitted+share",),
}
EPOCHS = 12


def curve(name, *, flux, mjd=None, error=None, band=None, **features):
    count = len(flux)
    record, notes = make_light_curve_record(
        name,
        SURVEY,
        flux=np.array(flux, float),
        flux_error=np.full(count, 1.0) if error is None else error,
        mjd=np.arange(count) * 1.7 + 58000 if mjd is None else mjd,
        band=np.arange(count) % 2 if band is None else band,
        features={"Per": 2.5, "Amp_r": 0.3, **features},
        label="RR",
    )
    return record, notes


def good(seed):
    generator = np.random.default_rng(seed)
    flux = 100 + 20 * generator.standard_normal(EPOCHS)
    return curve(f"good{seed}", flux=flux, gmag=15.0, rmag=14.5, R21=0.2, phi21=4.0)[0]


HOSTILE = {
    "no point": {"flux": []},
    "one point": {"flux": [7.0]},
    "one band": {"flux": 50 + np.arange(EPOCHS), "band": np.zeros(EPOCHS, int)},
    "equal times": {"flux": 50 + np.arange(EPOCHS), "mjd": np.full(EPOCHS, 58000.0)},
    "one flux": {"flux": np.full(EPOCHS, 5.0)},
    "below zero": {"flux": -np.arange(1, EPOCHS + 1.0)},
    "magnitudes of 99": {"flux": np.full(EPOCHS, 10 ** (0.4 * (23.9 - 99)))},
    "tiny errors": {"flux": np.arange(EPOCHS), "error": np.full(EPOCHS, 1e-30)},
    "huge fluxes": {"flux": np.geomspace(1, 1e37, EPOCHS)},
    "a period of zero": {"flux": 50 + np.arange(EPOCHS), "Per": 0.0},
    "a period below zero": {"flux": 50 + np.arange(EPOCHS), "Per": -1.0},
    "no number as period": {"flux": 50 + np.arange(EPOCHS), "Per": np.nan},
    "an endless catalogue": {"flux": [1.0, 2.0], "rmag": np.inf, "Amp_r": 1e300},
}


@functools.cache
def network_of(module):
    args = {} if module in DRAWINGS else {"model.args.bands": 2}
    args |= {"survey": "ztf_periodic/all", "classes": ("RR", "EA", "EW")}
    args["representation.max_epochs"] = EPOCHS
    if "features" in module.get_config("smoke").model.args:
        args["model.args.features"] = True
    spec = smoke(module.get_config, **args)
    task = task_of(spec)
    model = build_model(spec, task)
    blank = blank_inputs(spec, task)
    variables = jax.jit(functools.partial(model.init, train=False))(
        jax.random.key(0), blank
    )
    return jax.jit(lambda x: model.apply(variables, x, train=False).logits), spec


def cases():
    for module in (*NETWORKS, *DRAWINGS):
        name = module.get_config("smoke").representation.name
        for normalisation in NORMALISATIONS[name]:
            title = f"{module.__name__.partition('.')[2]}-{normalisation}"
            yield pytest.param(module, normalisation, id=title)


@pytest.mark.parametrize(("module", "normalisation"), [*cases()])
def test_extreme_light_curves_have_probabilities(module, normalisation):
    logits_of, config = network_of(module)
    representation = REPRESENTATIONS[config.representation.name]
    records = {name: curve(name, **of)[0] for name, of in HOSTILE.items()}
    # Training objects are as extreme, and the statistics must be finite.
    statistics = representation.fit_statistics(
        [*map(good, range(3)), *records.values()],
        normalisation=normalisation,
        survey=SURVEY,
    )
    for name, record in records.items():
        example = representation.make_example(
            record,
            max_epochs=EPOCHS,
            normalisation=normalisation,
            statistics=statistics,
        )
        inputs = type(example)(*(np.asarray(column)[None] for column in example))
        assert all(np.isfinite(column).all() for column in inputs), name
        probability = jax.nn.softmax(logits_of(inputs))
        np.testing.assert_allclose(probability.sum(), 1, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.inf, np.nan])
def test_points_with_a_wrong_error_are_dropped_and_counted(wrong):
    error = np.ones(EPOCHS)
    error[3:5] = wrong
    record, (note,) = curve("x", flux=np.arange(EPOCHS), error=error)
    assert len(record.mjd) == EPOCHS - 2
    assert note.startswith("2 epochs")


def test_infinite_fluxes_are_dropped_and_counted():
    flux = np.arange(EPOCHS, dtype=float)
    flux[:3] = np.inf, -np.inf, 1e39  # not representable in float32
    record, (note,) = curve("x", flux=flux)
    assert len(record.mjd) == EPOCHS - 3
    assert note.startswith("3 epochs")


def test_an_empty_light_curve_is_an_error():
    nothing = {name: np.zeros(0) for name in ("flux", "flux_error", "mjd")}
    with pytest.raises(RecordError, match="no epoch with a flux"):
        make_light_curve_record("x", SURVEY, **nothing, band=np.zeros(0, int))
