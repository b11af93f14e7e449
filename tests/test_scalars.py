import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxastro.training.scalars import Scalars, read_scalars

LINES = [{"step": step, "loss": 1 / step, "macro_f1": 0.1 * step} for step in (2, 4, 6)]


def write(folder, lines, *, first_step=0):
    scalars = Scalars(folder, first_step=first_step)
    for line in lines:
        values = {name: value for name, value in line.items() if name != "step"}
        scalars.write(line["step"], values)
    scalars.close()


def test_scalars_are_read_back_exactly(tmp_path):
    assert read_scalars(tmp_path) == []
    write(tmp_path, LINES)
    assert read_scalars(tmp_path) == LINES
    assert len((tmp_path / "scalars.jsonl").read_text().splitlines()) == 3
    assert list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))


def test_a_resumed_run_replaces_repeated_steps(tmp_path):
    write(tmp_path, LINES)
    whole = (tmp_path / "scalars.jsonl").read_text()
    write(tmp_path, LINES[1:], first_step=2)
    assert (tmp_path / "scalars.jsonl").read_text() == whole
    write(tmp_path, [], first_step=5)
    assert read_scalars(tmp_path) == LINES[:2]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_truncated_file_keeps_its_complete_lines(tmp_path, data):
    text = "".join(json.dumps(line) + "\n" for line in LINES)
    size = data.draw(st.integers(0, len(text)))
    (tmp_path / "scalars.jsonl").write_text(text[:size])
    whole = text[:size].count("}")
    assert read_scalars(tmp_path) == LINES[:whole]

    # The next run continues from its last checkpoint.
    (tmp_path / "tensorboard").mkdir(exist_ok=True)
    checkpoint = 2 * min(whole, 2)
    write(tmp_path, LINES[checkpoint // 2 :], first_step=checkpoint)
    assert (tmp_path / "scalars.jsonl").read_text() == text


def test_a_full_disk_keeps_existing_lines(tmp_path, monkeypatch):
    write(tmp_path, LINES)

    def fails(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fails)
    with pytest.raises(OSError, match="No space left"):
        Scalars(tmp_path, first_step=6)
    assert read_scalars(tmp_path) == LINES
