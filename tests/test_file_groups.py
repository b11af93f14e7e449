"""Files are grouped in their order, up to a size."""

from data_builders.engine.file_groups import group_files


def test_groups_keep_the_order_and_the_limit(tmp_path):
    files = []
    for i, size in enumerate([4, 5, 3, 20, 1, 9, 1]):
        files.append(tmp_path / str(i))
        files[-1].write_bytes(b"x" * size)
    names = [
        [file.name for file in group] for group in group_files(files, max_bytes=10)
    ]
    assert names == [["0", "1"], ["2"], ["3"], ["4", "5"], ["6"]]
    assert [len(group) for group in group_files(files)] == [7]
