import collections
import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from data_builders.engine.builder import REPORT_FILE
from data_builders.sdss import sdss_sn_photometry, sdss_sn_tables
from data_builders.sdss.sdss_sn_tables import DOUBTFUL, FEATURES, ROWS, TYPES
from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.data.record import record_from_example

EPOCHS = 12  # of each object
HEADS = (  # SNID, RA, DECL, SNTYPE, REDSHIFT_HELIO
    ("679", 327.43498, 0.657569, 0, 0.12),
    ("1032", 46.7957, 1.1195, 120, 0.13),
    ("1119", 320.5, -0.8, 119, 0.3),
    ("1241", 337.6, -0.8, 103, -9.0),
    ("1253", 337.6003, -0.8, 106, 0.26),
    ("1300", 10.0, 0.0, 77, -9.0),
)


def write_head(path, heads=HEADS):
    table = {
        "SNID": ("16A", [head[0].ljust(16) for head in heads]),
        "RA": ("D", [head[1] for head in heads]),
        "DECL": ("D", [head[2] for head in heads]),
        "SNTYPE": ("J", [head[3] for head in heads]),
        "REDSHIFT_HELIO": ("E", [head[4] for head in heads]),
        # Counted from 1; a row of -777 ends each object.
        "PTROBS_MIN": ("J", [1 + (EPOCHS + 1) * i for i in range(len(heads))]),
        "PTROBS_MAX": ("J", [EPOCHS + (EPOCHS + 1) * i for i in range(len(heads))]),
    }
    table |= {
        name: ("E", np.full(len(heads), 0.25 + i)) for i, name in enumerate(FEATURES)
    }
    table["HOSTGAL_SNSEP"] = ("E", np.full(len(heads), -9.0))
    write_table(path, table)


def phot_of(heads=HEADS):
    """Object i has fluxes 100 i + t, in ugriz and once in U, at MJD 53600 + t."""
    count, t = len(heads), np.arange(EPOCHS)
    band = np.array([*"ugrizugriz", "U", "g"])
    columns = {
        "MJD": np.concatenate([53600.125 + t, [-777.0]]),
        "FLT": np.concatenate([band, ["-"]]),
        "FLUXCALERR": np.concatenate([2.0 + t, [0.0]]),
        "PHOTFLAG": np.concatenate([np.zeros(11, int), [1024], [0]]),
    }
    columns = {name: np.tile(column, count) for name, column in columns.items()}
    flux = [np.concatenate([100 * i + t, [0]]) for i in range(count)]
    kinds = {"MJD": "D", "FLT": "2A", "FLUXCALERR": "E", "PHOTFLAG": "J"}
    return {"FLUXCAL": ("E", np.concatenate(flux))} | {
        name: (kinds[name], column) for name, column in columns.items()
    }


def write_table(path, table):
    columns = [fits.Column(name, kind, array=a) for name, (kind, a) in table.items()]
    fits.BinTableHDU.from_columns(columns).writeto(path)


@pytest.fixture
def snana(tmp_path):
    folder = tmp_path / "SDSS_dataRelease-snana" / "SDSS_allCandidates+BOSS"
    folder.mkdir(parents=True)
    write_head(folder / "SDSS_allCandidates+BOSS_HEAD.FITS.gz")
    write_table(folder / "SDSS_allCandidates+BOSS_PHOT.FITS", phot_of())
    (folder / "SDSS_allCandidates+BOSS.IGNORE").write_text(
        "May 06, 2008: taken from README file\n# TYPE = 120\n"
        "IGNORE:   1032  53603.126   i  chi2=20\n"
        "IGNORE:   1032  53603.126   r\n"
        "IGNORE:   1032  53602.129   r\n"
    )
    return tmp_path


def test_fluxcal_becomes_microjansky_and_bad_epochs_are_noted(snana):
    readings = {r.object_id: r for r in sdss_sn_photometry.read(snana)}
    curve = readings["1032"].record
    assert readings["1032"].notes == (
        "1 epochs have a flag of 1024 or more: dropped.",
        "1 epochs have a row in the survey's list of outliers: dropped.",
        "1 epochs have no band of ugriz: dropped.",
    )
    # 27.5 - 2.5 log10(FLUXCAL) = 23.9 - 2.5 log10(microjansky), so 100 are 3.63078.
    t = np.delete(np.arange(10), 3)
    np.testing.assert_allclose(curve.flux, (100 + t) * 0.0363078, rtol=1e-6)
    np.testing.assert_allclose(curve.flux_error, (2 + t) * 0.0363078, rtol=1e-6)
    np.testing.assert_array_equal(curve.mjd, 53600.125 + t)
    assert curve.band.tolist() == [0, 1, 2, 4, 0, 1, 2, 3, 4]
    assert curve.mjd.dtype.isnative
    np.testing.assert_allclose(curve.features[[0, 2]], [0.25, 2.25])
    assert np.isnan(curve.features[1])  # -9: no host


def test_labels_redshifts_and_groups_reach_the_light_curve(snana):
    readings = {r.object_id: r for r in sdss_sn_photometry.read(snana)}
    labels = {
        name: (r.record.label, r.record.label_source)
        for name, r in readings.items()
        if r.record
    }
    assert labels == {
        "679": ("Unknown", "none"),
        "1032": ("SNIa", "spectroscopic"),
        "1241": ("SNIa", "photometric"),
        "1253": ("SNIa", "photometric"),
    }
    assert "doubtful Ia" in readings["1119"].notes[0]
    assert "Object 1300: unknown type '77'; known are 110" in readings["1300"].notes[0]
    assert readings["1253"].record.redshift == pytest.approx(0.26)
    assert np.isnan(readings["1241"].record.redshift)
    # 1241 and 1253 are 1 arcsec apart.
    groups = collections.Counter(r.record.group for r in readings.values() if r.record)
    assert sorted(groups.values()) == [1, 1, 2]


def test_types_of_both_catalogues_are_rows_of_the_published_table():
    assert set(TYPES) == set(ROWS)
    words = [word for words in TYPES.values() for word in words.split()]
    assert len(words) == len(set(words))
    assert not {*DOUBTFUL} & {*words}


def write_smp(folder, name, rows, names="FLAG MJD FILT MAG MERR FLUX FLUXERR IDCCD"):
    folder.mkdir(exist_ok=True)
    text = f"# Scene modelling\n# {names}\n" + "\n".join(rows)
    (folder / name).write_text(text)


@pytest.fixture
def smp(tmp_path):
    (tmp_path / "master_data.txt").write_text(
        "CID RA DEC nepoch IAUName Classification zspecHelio\n"
        "679 327.434978 0.657569 104 2005eh Unknown 0.12\n"
        "680 327.555405 0.842584 198 \\N Variable \\N\n"
        "681 327.5 0.8 198 \\N zSNIbc -9\n"
        "682 331.2 0.8 198 SNII 0.05\n"
        "683 north 0.8 198 \\N SNII 0.05\n"
    )
    folder = tmp_path / "SMP_Data"
    rows = ["   0 53622.25 2 21.5 0.1 -9.5 0.75 3", "   4 53622.125 4 22 0.1 12.5 1 3"]
    write_smp(folder, "SMP_000679.dat", [*rows, "1056 53630 0 \\N \\N 5 1 3", ""])
    write_smp(folder, "SMP_000680.dat", ["0 53622.25 7 21.5 0.1 9.5 0.75 3"])
    return tmp_path


def test_smp_files_are_read_by_the_names_in_their_last_comment(smp):
    first, second, third, *bad = sdss_sn_photometry.read(smp)
    curve = first.record
    assert curve.mjd.tolist() == [53622.125, 53622.25]
    assert curve.flux.tolist() == [12.5, -9.5]  # microjansky as they are
    assert curve.band.tolist() == [4, 2]
    assert first.notes[0] == "1 epochs have a flag of 1024 or more: dropped."
    assert (curve.label, curve.redshift) == ("Unknown", 0.12)
    assert np.isnan(curve.features).all()
    assert second.notes[0].startswith("SMP_000680.dat, line 3: '0 53622.25 7")
    assert "Object 681: no SMP_000681.dat" in third.notes[0]
    assert [reading.object_id for reading in bad] == [
        "master_data.txt@5",
        "master_data.txt@6",
    ]
    assert "6 cells" in bad[0].notes[0]


def test_pointers_that_do_not_fit_set_their_object_aside(snana):
    (head,) = snana.glob("*/*/*_HEAD*")
    (phot,) = snana.glob("*/*/*_PHOT*")
    with fits.open(head) as file:
        table = file[1].data
        table["PTROBS_MIN"][0] = 0  # from before the first row
        table["PTROBS_MAX"][1] -= 1  # without its last epoch
        table["PTROBS_MIN"][3] -= 1  # with the separator of the one before
        table["PTROBS_MAX"][4] += 10000
        file.writeto(head, overwrite=True)
    readings = list(sdss_sn_photometry.read(snana))
    assert [r.record is None for r in readings] == [True] * 6
    for i in (0, 1, 3, 4):
        assert "are not one light curve" in readings[i].notes[0]
        assert phot.name in readings[i].notes[0]


@pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyWarning")
@pytest.mark.parametrize("which", ["HEAD", "PHOT"])
def test_damaged_tables_are_errors_with_a_message(snana, which):
    (path,) = snana.glob(f"*/*/*_{which}*")
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], content[:80], b"", b"<html></html>"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="damaged FITS table") as error:
            list(sdss_sn_photometry.read(snana))
        assert path.name in str(error.value)
    path.unlink()
    write_table(path, {"SNID": ("16A", ["1"])})
    with pytest.raises(ValueError, match="no column"):
        list(sdss_sn_photometry.read(snana))


def test_missing_files_are_named(snana, tmp_path):
    (phot,) = snana.glob("*/*/*_PHOT*")
    (head,) = snana.glob("*/*/*_HEAD*")
    phot.unlink()
    assert not sdss_sn_photometry.recognises(snana)
    with pytest.raises(FileNotFoundError, match=r"No SDSS.*_PHOT\.FITS\.gz in the"):
        list(sdss_sn_photometry.read(snana))
    (snana / "again_HEAD.FITS").write_bytes(head.read_bytes())
    with pytest.raises(ValueError, match="has 2 HEAD tables"):
        list(sdss_sn_photometry.read(snana))
    (snana / "again_HEAD.FITS").unlink()
    head.unlink()
    with pytest.raises(FileNotFoundError, match=r"SDSS_dataRelease-snana\.tar\.gz"):
        list(sdss_sn_photometry.read(snana))
    (snana / "master_data.txt").write_text("CID RA\n1 2\n")
    with pytest.raises(ValueError, match="no column DEC in its first line"):
        sdss_sn_tables.read_candidates(snana / "master_data.txt")
    (snana / "x.IGNORE").write_text("IGNORE: 1032 late r\n")
    with pytest.raises(ValueError, match="line 1: 'IGNORE: 1032 late r'"):
        sdss_sn_tables.read_outliers(snana / "x.IGNORE")


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_an_smp_file_or_a_fault(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "SMP_000001.dat"
    path.write_text("# MJD FILT FLUX FLUXERR FLAG\n" + text)
    found = sdss_sn_tables.read_smp(path)
    assert isinstance(found, sdss_sn_tables.Epochs) or "SMP_000001.dat" in found


def test_the_data_set_holds_what_was_read(snana, tmp_path):
    import tensorflow_datasets as tfds

    builder = sdss_sn_photometry.SdssSnPhotometry(data_dir=tmp_path / "built")
    config = tfds.download.DownloadConfig(manual_dir=str(snana))
    builder.download_and_prepare(download_config=config)
    source = builder.as_data_source("all")
    built = [record_from_example(example, LightCurveRecord) for example in source]
    read = {r.object_id: r.record for r in sdss_sn_photometry.read(snana)}
    assert len(built) == 4
    for record in built:
        for one, other in zip(record, read[record.object_id], strict=True):
            np.testing.assert_array_equal(one, other)
    report = json.loads((Path(builder.data_dir) / REPORT_FILE).read_text())
    assert list(report["set_aside"]) == ["1119", "1300"]
    assert sdss_sn_photometry.recognises(snana)


@pytest.fixture(scope="module")
def real_folder():
    if not os.environ.get("JAXASTRO_DATA"):
        pytest.skip("JAXASTRO_DATA is not set: no real table of candidates to read")
    return Path(os.environ["JAXASTRO_DATA"]) / "sdss_sn_candidates"


def test_the_real_catalogue_is_the_published_table(real_folder):
    candidates = sdss_sn_tables.read_candidates(
        sdss_sn_tables.find_catalogue(real_folder)
    )
    count = collections.Counter(candidate.row for candidate in candidates)
    assert count.pop("") == 41
    assert count == {
        "AGN": 906,
        "SNIa": 499,
        "SNOther": 89,
        "Unknown": 2009,
        "Variable": 3225,
        "SNOther_PT": 2041,
        "SNIa_PT": 1448,
    }
    assert sum(count.values()) == 10_217
    assert len({candidate.object_id for candidate in candidates}) == 10_258
    assert all("doubtful" in c.fault for c in candidates if not c.row)
    # Spans follow each other, a separator between them.
    spans = [candidate.span for candidate in candidates]
    assert spans[0][0] == 0
    assert all(b[0] == a[1] + 1 for a, b in itertools.pairwise(spans))
    groups = collections.Counter(sdss_sn_tables.groups_of(candidates))
    assert len(groups) == 10_170
    assert max(groups.values()) == 4


def test_the_real_list_of_outliers_is_read(real_folder):
    (path,) = real_folder.glob("*.IGNORE")
    outliers = sdss_sn_tables.read_outliers(path)
    assert len(outliers) == 106
    assert sum(map(len, outliers.values())) == 152
    assert outliers["1032"][0] == (53668.387, "g")
