"""Every model states what it requires of a task, and refuses others in words."""

from typing import get_type_hints

import pytest

from jaxastro.errors import InputError
from jaxastro.models import MODELS, make_model
from jaxastro.models.requirements import LIMITS
from jaxastro.surveys import survey_of
from jaxastro.types import Alerts, FoldedAndMap, Image, LightCurve, Series, Task

SURVEYS = {
    Series: "sdss_sn_sim",
    LightCurve: "sdss_sn_photometry",
    Alerts: "ztf_alerts",
    Image: "ztf_periodic",
    FoldedAndMap: "ztf_periodic",
}


def task_of(inputs, *, normalisation="asinh", **changed):
    survey = survey_of(SURVEYS[inputs])
    return Task(
        survey=survey._replace(**changed),
        whole_survey=survey,
        classes=survey.classes,
        hierarchy=(),
        inputs=inputs,
        representation="any",
        normalisation=normalisation,
        statistics={},
    )


def names_with(field):
    return [name for name in MODELS if field in MODELS[name].__dataclass_fields__]


def args_for(name):
    """Arguments that fit the survey whose inputs the model takes."""
    bands = task_of(MODELS[name].inputs).survey.bands
    return {"bands": len(bands)} if name in names_with("bands") else {}


@pytest.mark.parametrize("name", MODELS)
def test_every_model_states_its_facts(name):
    model = make_model(name, num_classes=3)
    assert model.inputs is get_type_hints(type(model).__call__)["inputs"]
    assert isinstance(model.any_length, bool)
    assert isinstance(model.reads_catalogue, bool)
    assert set(model.starts_from) <= set(MODELS) - {name}
    # The features of an alert are its own metadata, not those of a catalogue.
    assert not model.reads_catalogue
    if name in names_with("features"):
        has_catalogue = "feature" in model.inputs._fields
        assert model.clone(features=True).reads_catalogue == has_catalogue


@pytest.mark.parametrize("name", MODELS)
def test_every_model_accepts_its_own_inputs_and_refuses_others(name):
    model = make_model(name, num_classes=3, **args_for(name))
    model.check(task_of(model.inputs))
    other = next(kind for kind in SURVEYS if kind is not model.inputs)
    words = f"Model {type(model).__name__} expects {model.inputs.__name__} input, "
    with pytest.raises(InputError, match=words):
        model.check(task_of(other))


@pytest.mark.parametrize("name", MODELS)
def test_arguments_outside_their_limits_are_refused(name):
    model = make_model(name, num_classes=3, **args_for(name))
    task = task_of(model.inputs)
    for argument in set(LIMITS) & set(MODELS[name].__dataclass_fields__):
        value = getattr(model, argument)
        for wrong in (LIMITS[argument][0] - 1, LIMITS[argument][1] + 1):
            items = value if isinstance(value, tuple) else (value,)
            wrong = type(items[0])(wrong)
            wrong = (*items[1:], wrong) if isinstance(value, tuple) else wrong
            with pytest.raises(InputError, match=rf"args\.{argument} is .* Expected "):
                model.clone(**{argument: wrong}).check(task)


@pytest.mark.parametrize("name", names_with("features"))
def test_features_need_a_catalogue(name):
    args = args_for(name)
    task = task_of(MODELS[name].inputs, columns=())
    make_model(name, num_classes=3, features=False, **args).check(task)
    model = make_model(name, num_classes=3, features=True, **args)
    model.check(task_of(model.inputs))
    with pytest.raises(InputError, match=r"features=True, but survey \w+ has no cat"):
        model.check(task)


@pytest.mark.parametrize("name", names_with("band_rows"))
def test_a_band_table_has_a_row_for_each_band_and_one_for_padding(name):
    task = task_of(MODELS[name].inputs)
    count, args = len(task.survey.bands), args_for(name)
    make_model(name, num_classes=3, band_rows=count + 1, **args).check(task)
    model = make_model(name, num_classes=3, band_rows=count, **args)
    with pytest.raises(InputError, match=f"model.args.band_rows={count + 1} or more"):
        model.check(task)


@pytest.mark.parametrize("name", names_with("bands"))
def test_merged_epochs_have_as_many_bands_as_the_survey(name):
    task = task_of(MODELS[name].inputs, bands=("g",))
    model = make_model(name, num_classes=3, bands=5)
    words = r"used in 1 bands \(g\).* merged epochs have 5\. Set .*args\.bands=1\."
    with pytest.raises(InputError, match=words):
        model.check(task)
    if name in names_with("frames"):
        model.clone(frames="embedded").check(task)


@pytest.mark.parametrize(
    "name", ["convention", "frame_transformer", "visit_transformer"]
)
def test_the_change_of_asinh_images_needs_images_normalised_by_asinh(name):
    model = make_model(name, num_classes=3, change="asinh")
    model.check(task_of(Series))
    words = "args.change='asinh' takes images to be asinh of the flux"
    with pytest.raises(InputError, match=words):
        model.check(task_of(Series, normalisation="standard"))
    model.clone(change="linear").check(task_of(Series, normalisation="standard"))
