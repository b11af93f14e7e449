import jax
import numpy as np
import pytest
from support.runs import assert_same_bits, smoke, task_of

from configs import (
    byol,
    convention,
    masked_frames,
    semiconformer,
    sits_bert,
    sits_bert_pretrain,
)
from jaxastro.runs.checks import check_same_inputs
from jaxastro.runs.dataset import limit_per_class, open_dataset
from jaxastro.runs.initial_state import initial_state
from jaxastro.runs.model_building import (
    abstract_state,
    build_method,
    mesh_for,
    restore_best,
)
from jaxastro.runs.spec import read_spec, write_spec
from jaxastro.runs.task import read_task, write_task
from jaxastro.runs.training_run import measure_statistics
from jaxastro.surveys import UNLABELLED
from jaxastro.training.checkpoint import Checkpoints


def started(workdir, experiment=semiconformer, **changes):
    """The spec of a run that starts from another, its first state, what it logged."""
    changes = {"init_from": str(workdir), "seed": 7} | changes
    spec = smoke(experiment.get_config, **changes)
    return spec, *first_state(spec)


def first_state(spec):
    """A run's first state, and what was logged."""
    task, mesh, logged = task_of(spec), mesh_for(spec), []
    method = build_method(spec, task, mesh)
    return initial_state(method, spec, task, mesh, logged.append, None), logged


def best_state(workdir):
    spec, task = read_spec(workdir), read_task(workdir)
    mesh = mesh_for(spec)
    abstract = abstract_state(build_method(spec, task, mesh), spec, task, mesh)
    return restore_best(workdir, spec, abstract)


def test_a_run_starts_from_the_best_state_of_another(trained):
    workdir, _ = trained
    _, state, logged = started(workdir)
    learned = best_state(workdir)
    for part in ("params", "batch_stats", "target_params"):
        assert_same_bits(*(getattr(s, part) for s in (state, learned)))
    assert int(state.step) == 0
    assert "new" not in logged[0]


def saved(workdir, experiment, change=lambda state: state, **args):
    """A run folder with an untrained first state.

    Args:
        change: applied to the state before it is saved.
        args: of the method.
    """
    spec = smoke(
        experiment.get_config, **{f"method.args.{k}": v for k, v in args.items()}
    )
    workdir.mkdir()
    write_spec(workdir, spec)
    write_task(workdir, task_of(spec))
    state, _ = first_state(spec)
    checkpoints = Checkpoints(
        workdir / "checkpoints", metric=spec.best_metric, create=True
    )
    checkpoints.save(1, change(state), {}, {"macro_f1": 0.5})
    checkpoints.close()
    return workdir


@pytest.mark.parametrize("experiment", [byol, masked_frames, semiconformer])
def test_a_pretrained_encoder_without_a_head_starts_a_supervised_run(
    experiment, tmp_path
):
    source = saved(tmp_path / "run", experiment)
    _, state, logged = started(source, convention)
    learned = best_state(source)
    encoder = {name: state.params[name] for name in learned.params["encoder"]}
    assert set(state.params) - set(encoder) == {"head"}
    assert_same_bits(encoder, learned.params["encoder"])
    assert_same_bits(state.batch_stats, learned.batch_stats["encoder"])
    count = len(jax.tree.leaves((encoder, state.batch_stats)))
    assert f": {count} of {count + 4} arrays; new: params['head']" in logged[0]
    assert logged[0].count("(") == 4  # shapes: those of the head's two layers


def test_a_night_encoder_trained_without_labels_starts_a_supervised_run(tmp_path):
    source = saved(tmp_path / "run", sits_bert_pretrain)
    _, state, logged = started(source, sits_bert)
    learned = best_state(source).params["encoder"]
    assert set(state.params) - set(learned) == {"logits"}
    assert_same_bits({name: state.params[name] for name in learned}, learned)
    assert "; new: params['logits']" in logged[0]


@pytest.mark.parametrize("experiment", [byol, semiconformer])
def test_a_supervised_run_starts_an_encoder_and_its_target(experiment, tmp_path):
    source = saved(tmp_path / "run", convention)
    _, state, logged = started(source, experiment)
    learned = best_state(source)
    encoder = {name: learned.params[name] for name in state.params["encoder"]}
    for part in (state.params, state.target_params):
        assert_same_bits(part["encoder"], encoder)
    for part in (state.batch_stats, state.target_batch_stats):
        assert_same_bits(part["encoder"], learned.batch_stats)
    assert_same_bits(state.target_params, state.params)
    assert "'encoder'" not in logged[0]
    leaves = jax.tree.leaves(state)  # no buffer twice: it will be donated
    where = [leaf.unsafe_buffer_pointer() for leaf in leaves if leaf.size]
    assert len(where) == len(set(where))


def test_a_run_whose_averaged_parameters_predict_gives_those_to_the_next(tmp_path):
    def moved(state):  # away from the mean, which is what a fresh state has
        params = jax.tree.map(lambda leaf: leaf + 1, state.params)
        return state._replace(params=params)

    source = saved(tmp_path / "run", convention, moved, average_decay=0.9)
    _, state, _ = started(source, convention)
    learned = best_state(source)
    assert_same_bits(state.params, learned.target_params)
    assert_same_bits(state.batch_stats, learned.target_batch_stats)


def test_layers_of_another_shape_stay_new_and_are_logged(trained):
    workdir, _ = trained
    _, state, logged = started(workdir, classes=("AGN", "SNIa"))
    assert state.params
    assert "; new: params" in logged[0]


def test_the_statistics_of_the_other_run_are_used(trained, data_dir):
    workdir, _ = trained
    spec = smoke(semiconformer.get_config, init_from=str(workdir))
    dataset = open_dataset(spec, data_dir=data_dir)
    assert measure_statistics(dataset) == read_task(workdir).statistics


def test_a_folder_without_a_run_or_a_run_with_other_inputs_is_refused(
    trained, tmp_path, data_dir
):
    with pytest.raises(FileNotFoundError, match="is not the folder of a run"):
        started(tmp_path)
    workdir, _ = trained
    spec = smoke(
        semiconformer.get_config,
        **{"init_from": str(workdir), "representation.normalisation": "standard"},
    )
    dataset = open_dataset(spec, data_dir=data_dir)
    with pytest.raises(ValueError, match="normalisation 'asinh', this run has 'stand"):
        measure_statistics(dataset)


def test_other_bands_columns_selections_and_folds_are_refused(trained):
    workdir, _ = trained
    spec = smoke(semiconformer.get_config, init_from=str(workdir))
    survey, other = task_of(spec).survey, read_spec(workdir)
    check_same_inputs(spec, survey, other, survey)
    with pytest.raises(ValueError, match=r"bands u, g, r, i, z; .* has g, r\. Start"):
        check_same_inputs(spec, survey._replace(bands=("g", "r")), other, survey)
    columns = (("period", "d"),)
    with pytest.raises(ValueError, match=r"columns none; .* has period\. Start"):
        check_same_inputs(spec, survey._replace(columns=columns), other, survey)
    for changed, words in (
        ({"selection.bands": ("g",)}, r"with bands \(\), this run has \('g',\)"),
        ({"selection.crop": 9}, "with crop 0, this run has 9. Use the same"),
        (
            {"folds.test_fold": 1},
            r"with config\.folds\.test_fold=0, this run has 1: it",
        ),
    ):
        with pytest.raises(ValueError, match=words):
            check_same_inputs(spec.replace(changed), survey, other, survey)


def test_a_run_that_trained_on_all_objects_starts_no_run_that_tests_some():
    spec = smoke(semiconformer.get_config, init_from="runs/other")
    survey = task_of(spec).survey
    everything = spec.replace({"folds.held_out": "nothing"})
    with pytest.raises(ValueError, match="held_out=nothing, this run has"):
        check_same_inputs(spec, survey, everything, survey)
    check_same_inputs(everything, survey, spec, survey)


def test_a_smaller_limit_per_class_keeps_a_part_of_a_larger():
    label = np.array([0] * 9 + [1] * 2 + [-1] * 4)
    rows = np.arange(len(label))
    few = limit_per_class(rows, label, count=3, seed=0)
    more = limit_per_class(rows, label, count=5, seed=0)
    assert [(label[few] == name).sum() for name in (0, 1, -1)] == [3, 2, 4]
    assert set(few) <= set(more)
    assert np.array_equal(limit_per_class(rows, label, count=0, seed=0), rows)


def test_the_number_of_training_objects_is_a_key_of_the_config(trained, data_dir):
    spec = smoke(semiconformer.get_config, **{"selection.per_class": 2})
    dataset = open_dataset(spec, data_dir=data_dir)
    label = dataset.index.label[dataset.rows["train"]]
    counts = dict(zip(*np.unique(label, return_counts=True), strict=True))
    assert max(n for name, n in counts.items() if name != UNLABELLED) == 2
    # Of a joined class it counts the objects of all its labels.
    spec = spec.replace({"classes": ("AGN+Variable", "SNIa+SNOther")})
    dataset = open_dataset(spec, data_dir=data_dir)
    label = dataset.index.label[dataset.rows["train"]]
    assert (np.isin(label, ("AGN", "Variable"))).sum() == 2
