"""Temporal stamp classifier: padding, rotations and the sequence of alerts."""

import functools

import jax
import numpy as np
import pytest
from support import runs
from support.alerts import make_alerts

from configs import stamp_classifier, temporal_stamps
from jaxastro.augment import make_augment
from jaxastro.evaluation.predictions import load
from jaxastro.models import make_model
from jaxastro.models.temporal_stamps import OVER_TIME
from jaxastro.runs import train
from jaxastro.runs.early_classification import epoch_counts

EVERY = pytest.mark.parametrize("over_time", OVER_TIME)
SMALL = {"widths": (4, 6), "kernel": 3, "code": 8, "hidden": 8}


@functools.cache
def made(over_time="gru", **args):
    model = make_model(
        "temporal_stamps", num_classes=3, over_time=over_time, **SMALL | args
    )
    variables = jax.jit(functools.partial(model.init, train=False))(
        jax.random.key(0), make_alerts(5, epochs=5)
    )
    return variables, jax.jit(functools.partial(model.apply, variables, train=False))


@EVERY
def test_content_of_padded_alerts_changes_no_bit(over_time):
    inputs, model = make_alerts(5, 3, 1, epochs=5), made(over_time)[1]
    padded = ~inputs.epoch_mask
    other = inputs._replace(
        stamp=np.where(padded[..., None, None, None], np.nan, inputs.stamp),
        time=np.where(padded, 1e6, inputs.time).astype(np.float32),
        band=np.where(padded, 7, inputs.band).astype(np.int32),
        metadata=np.where(padded[..., None], np.nan, inputs.metadata),
    )
    np.testing.assert_array_equal(model(inputs).logits, model(other).logits)


@EVERY
def test_padding_and_the_order_of_objects_have_no_effect(over_time):
    inputs, model = make_alerts(5, 3, 1, epochs=5), made(over_time)[1]
    longer = type(inputs)(
        *(np.concatenate([a, np.zeros_like(a[:, :2])], 1) for a in inputs)
    )
    here = model(inputs).logits
    np.testing.assert_allclose(model(longer).logits, here, atol=1e-5)
    turned = type(inputs)(*(a[::-1] for a in inputs))
    np.testing.assert_allclose(model(turned).logits[::-1], here, atol=1e-5)


@EVERY
def test_alerts_and_the_days_between_them_have_an_effect(over_time):
    inputs, model = make_alerts(5, 5, epochs=5), made(over_time)[1]
    here = model(inputs).logits
    later = inputs.time.copy()
    later[:, 3:] += 20
    changed = inputs.stamp.copy()
    changed[0, 2] += 2 * changed[0, 3]
    for other in (inputs._replace(time=later), inputs._replace(stamp=changed)):
        assert abs(model(other).logits - here).max() > 1e-5


@EVERY
def test_rotating_all_stamps_of_an_object_changes_no_bit(over_time):
    inputs, model = make_alerts(5, 3, epochs=5), made(over_time)[1]
    turned = inputs._replace(stamp=np.rot90(inputs.stamp, 1, (2, 3)))
    np.testing.assert_array_equal(model(inputs).logits, model(turned).logits)


def test_an_unknown_over_time_is_refused():
    with pytest.raises(ValueError, match="gru, lstm, conv, attention"):
        made("rnn")
    with pytest.raises(ValueError, match="features is False"):
        made(stamps=(), features=False)


def test_truncation_can_keep_only_the_first_alert():
    inputs = make_alerts(*[6] * 200, epochs=6, size=3, columns=1)
    augment = make_augment(
        max_epochs=6, drop=0.0, rotation=0.0, flip=False, truncate=1.0
    )
    view = jax.jit(augment)(jax.random.key(0), inputs)
    assert set(np.asarray(view.epoch_mask.sum(1))) == set(range(1, 7))
    seen = np.asarray(view.epoch_mask)
    np.testing.assert_array_equal(
        np.asarray(view.stamp)[seen], inputs.stamp[seen]
    )  # the first ones, unchanged


def test_early_classification_evaluates_each_alert_or_doubling_numbers_of_epochs():
    count = np.array([1, 7, 3])
    np.testing.assert_array_equal(epoch_counts(count, every_epoch=True), range(1, 7))
    np.testing.assert_array_equal(epoch_counts(count, every_epoch=False), [3, 6])
    np.testing.assert_array_equal(epoch_counts(count[:1], every_epoch=True), [1])


def test_a_run_can_start_from_a_stamp_classifier(data_dir, tmp_path, capsys):
    first = runs.smoke(stamp_classifier.get_config, classes=("AGN", "SN", "VS"))
    train(first, tmp_path / "first", data_dir=data_dir)
    config = runs.smoke(
        temporal_stamps.get_config,
        **{"init_from": str(tmp_path / "first"), "model.args.over_time": "gru"},
    )
    frozen = ("gru", "numbers", "hidden", "logits")
    config = config.replace({"optimizer.train_only": frozen})
    train(config, tmp_path / "then", data_dir=data_dir)
    assert "Starting from" in capsys.readouterr().out
    one, then = (runs.state_of(tmp_path / name, 2).params for name in ("first", "then"))
    for name in ("cnn", "of_a_turn"):
        runs.assert_same_bits(one[name], then[name])
    predictions = load(tmp_path / "then" / "predictions")
    assert predictions.early_epochs[0] == 1
    np.testing.assert_allclose(predictions.early_probability.sum(-1), 1, atol=1e-5)
