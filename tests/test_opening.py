"""Data sets are opened by name, and importing the package imports no builder."""

import numpy as np
import pytest
from support import commands

import data_builders
from data_builders import registry
from data_builders.opening import open_records, prepare
from jaxastro.data.series import SeriesRecord
from jaxastro.simulation.survey import PRESETS, simulate_object
from jaxastro.surveys import SURVEYS


def test_the_import_loads_no_builder_no_tfds_and_no_jax():
    script = (
        "import sys, data_builders\n"
        "loaded = {'numpy', 'tensorflow_datasets', 'jax'} & set(sys.modules)\n"
        "builders = [n for n in sys.modules if n.startswith('data_builders.')]\n"
        "print(sorted(loaded), builders)\n"
    )
    done = commands.python("-c", script)
    assert done.stdout == "[] ['data_builders.registry']\n", done.stderr


def test_load_returns_the_records_of_a_data_set(data_dir):
    records = data_builders.load("sdss_sn_sim/tiny", data_dir=data_dir)
    assert len(records) == 60
    assert isinstance(records[0], SeriesRecord)
    assert [record.object_id for record in records][3] == records[3].object_id
    by_name = {record.object_id: record for record in records}
    made = simulate_object(0, seed=0, preset=PRESETS["tiny"])
    np.testing.assert_array_equal(by_name[made.object_id].flux, made.flux)


def test_builder_returns_the_tfds_builder_without_building(tmp_path):
    builder = data_builders.builder("sdss_sn_sim/tiny", data_dir=str(tmp_path))
    assert builder.name == "sdss_sn_sim"
    assert builder.survey == SURVEYS["sdss_sn_sim"]
    assert not builder.data_path.exists()


def test_the_records_of_a_prepared_builder_are_those_of_load(data_dir):
    builder = prepare("sdss_sn_sim/tiny", data_dir=data_dir)
    first, loaded = (
        open_records(builder),
        data_builders.load("sdss_sn_sim/tiny", data_dir=data_dir),
    )
    assert first[0].object_id == loaded[0].object_id


def test_every_data_set_has_a_module_a_class_and_a_reader():
    for name, (module, builder_class) in registry.BUILDERS.items():
        assert registry.module_of(name).__name__ == module
        found = registry.builder_class_of(name)
        assert found.__name__ == builder_class
        assert found.name == name
        assert data_builders.reader_of(name) is registry.module_of(name).read
        assert callable(registry.module_of(name).recognises)
    for name in registry.ALERT_READERS:
        assert data_builders.alert_reader_of(name).__name__ == "read_each"


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"No builder named 'hist'.*asas, btsbot"):
        data_builders.load("hist")
    with pytest.raises(ValueError, match=r"no preset 'huge'. Known presets: tiny"):
        data_builders.builder("sdss_sn_sim/huge")
    with pytest.raises(ValueError, match=r"'hits' has no alerts that can be read one"):
        data_builders.alert_reader_of("hits")
