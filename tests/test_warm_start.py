import jax
import numpy as np
import pytest
from ml_collections import ConfigDict
from support.runs import assert_same_bits

from configs import (
    byol,
    convention,
    masked_frames,
    semiconformer,
    sits_bert,
    sits_bert_pretrain,
)
from jaxastro.runs import assemble
from jaxastro.runs.dataset import few_of_each, measure_statistics, open_dataset
from jaxastro.runs.initial_state import new_state
from jaxastro.runs.predictor import abstract_state, mesh_for, restore_best
from jaxastro.surveys import UNLABELLED
from jaxastro.training.checkpoint import Checkpoints


def started(workdir, experiment=semiconformer, **changes):
    """The config of a run that starts from another, its first state, what it said."""
    config = experiment.get_config("smoke")
    config.update(ConfigDict({"init_from": str(workdir), "seed": 7, **changes}))
    mesh, said = mesh_for(config), []
    method = assemble.method_of_config(config, mesh)
    return config, new_state(method, config, mesh, said.append, None), said


def test_a_run_starts_where_the_best_state_of_another_was(trained):
    workdir, _ = trained
    config, state, said = started(workdir)
    mesh = mesh_for(config)
    abstract = abstract_state(assemble.method_of_config(config, mesh), config, mesh)
    learned = restore_best(workdir, config, abstract)
    for part in ("params", "batch_stats", "target_params"):
        assert_same_bits(*(getattr(s, part) for s in (state, learned)))
    assert int(state.step) == 0
    assert "new" not in said[0]


def best_state(workdir):
    config = assemble.read_config(workdir)
    mesh = mesh_for(config)
    abstract = abstract_state(assemble.method_of_config(config, mesh), config, mesh)
    return restore_best(workdir, config, abstract)


def saved(workdir, experiment, change=lambda state: state, **changed):
    """A run's folder, with a first state that nobody trained, changed if asked."""
    config = experiment.get_config("smoke")
    config.method.args.update(changed)
    mesh = mesh_for(config)
    workdir.mkdir()
    assemble.write_config(workdir, assemble.to_plain(config))
    method = assemble.method_of_config(config, mesh)
    state = new_state(method, config, mesh, None, None)
    checkpoints = Checkpoints(
        workdir / "checkpoints", metric=config.best_metric, create=True
    )
    checkpoints.save(1, change(state), {}, {"macro_f1": 0.5})
    checkpoints.close()
    return workdir


@pytest.mark.parametrize("experiment", [byol, masked_frames, semiconformer])
def test_an_encoder_learnt_without_a_head_starts_a_supervised_run(experiment, tmp_path):
    source = saved(tmp_path / "run", experiment)
    _, state, said = started(source, convention)
    learned = best_state(source)
    encoder = {name: state.params[name] for name in learned.params["encoder"]}
    assert set(state.params) - set(encoder) == {"head"}
    assert_same_bits(encoder, learned.params["encoder"])
    assert_same_bits(state.batch_stats, learned.batch_stats["encoder"])
    count = len(jax.tree.leaves((encoder, state.batch_stats)))
    assert f": {count} of {count + 4} arrays; new: params['head']" in said[0]
    assert said[0].count("(") == 4  # shapes: those of the head's two layers


def test_nights_learnt_without_labels_start_a_supervised_run(tmp_path):
    source = saved(tmp_path / "run", sits_bert_pretrain)
    _, state, said = started(source, sits_bert)
    learned = best_state(source).params["encoder"]
    assert set(state.params) - set(learned) == {"logits"}
    assert_same_bits({name: state.params[name] for name in learned}, learned)
    assert "; new: params['logits']" in said[0]


@pytest.mark.parametrize("experiment", [byol, semiconformer])
def test_a_supervised_run_starts_an_encoder_and_its_target(experiment, tmp_path):
    source = saved(tmp_path / "run", convention)
    _, state, said = started(source, experiment)
    learned = best_state(source)
    encoder = {name: learned.params[name] for name in state.params["encoder"]}
    for part in (state.params, state.target_params):
        assert_same_bits(part["encoder"], encoder)
    for part in (state.batch_stats, state.target_batch_stats):
        assert_same_bits(part["encoder"], learned.batch_stats)
    assert_same_bits(state.target_params, state.params)
    assert "'encoder'" not in said[0]
    leaves = jax.tree.leaves(state)  # no buffer twice: it will be donated
    where = [leaf.unsafe_buffer_pointer() for leaf in leaves if leaf.size]
    assert len(where) == len(set(where))


def test_where_a_mean_of_networks_predicted_the_mean_is_the_start(tmp_path):
    def moved(state):  # away from the mean, which is what a fresh state has
        params = jax.tree.map(lambda leaf: leaf + 1, state.params)
        return state._replace(params=params)

    source = saved(tmp_path / "run", convention, moved, average_decay=0.9)
    _, state, _ = started(source, convention)
    learned = best_state(source)
    assert_same_bits(state.params, learned.target_params)
    assert_same_bits(state.batch_stats, learned.target_batch_stats)


def test_layers_of_another_shape_stay_new_and_are_told(trained):
    workdir, _ = trained
    _, state, said = started(workdir, classes=("AGN", "SNIa"))
    assert state.params
    assert "; new: params" in said[0]


def test_a_run_that_is_none_or_has_another_input_is_refused(trained, tmp_path):
    with pytest.raises(FileNotFoundError, match="is not the folder of a run"):
        started(tmp_path)
    workdir, _ = trained
    config = semiconformer.get_config("smoke")
    config.init_from, config.representation.normalisation = str(workdir), "standard"
    with pytest.raises(ValueError, match="'asinh', this run asks for 'standard'"):
        measure_statistics(None, config, None)


def test_numbers_of_other_bands_or_columns_are_refused_in_words(trained):
    workdir, _ = trained
    config = semiconformer.get_config("smoke")
    config.init_from = str(workdir)
    survey = assemble.survey_of_config(config)
    assert measure_statistics(None, config, survey)
    with pytest.raises(ValueError, match=r"bands u, g, r, i, z; .* has g, r\. Start"):
        measure_statistics(None, config, survey._replace(bands=("g", "r")))
    columns = (("period", "d"),)
    with pytest.raises(ValueError, match=r"columns none; .* has period\. Start"):
        measure_statistics(None, config, survey._replace(columns=columns))


def test_few_of_each_keeps_at_most_so_many_and_fewer_are_among_more():
    label = np.array([0] * 9 + [1] * 2 + [-1] * 4)
    rows = np.arange(len(label))
    few = few_of_each(rows, label, count=3, seed=0)
    more = few_of_each(rows, label, count=5, seed=0)
    assert [(label[few] == name).sum() for name in (0, 1, -1)] == [3, 2, 4]
    assert set(few) <= set(more)
    assert np.array_equal(few_of_each(rows, label, count=0, seed=0), rows)


def test_the_number_of_training_objects_is_a_key_of_the_config(trained, data_dir):
    config = semiconformer.get_config("smoke")
    config.selection.per_class = 2
    dataset = open_dataset(config, data_dir=data_dir, manual_dir="")
    label = dataset.index.label[dataset.rows["train"]]
    counts = dict(zip(*np.unique(label, return_counts=True), strict=True))
    assert max(n for name, n in counts.items() if name != UNLABELLED) == 2
    with config.unlocked():
        config.classes = ("AGN+Variable", "SNIa+SNOther")  # two of a joined class, too
    dataset = open_dataset(config, data_dir=data_dir, manual_dir="")
    label = dataset.index.label[dataset.rows["train"]]
    assert (np.isin(label, ("AGN", "Variable"))).sum() == 2
