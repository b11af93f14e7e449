from benchmarks.scaling import bytes_moved

PROGRAM = """
  %all-reduce.1 = (f32[16]{0:T(128)}, bf16[3,2]{1,0}) all-reduce(%a, %b), channel_id=1
  %gather.1 = f32[8,81]{1,0} all-gather(%param_0.1), channel_id=32, dimensions={0}
  %gather.2 = f32[8,81]{1,0} all-gather(%param_0.2), channel_id=32, dimensions={0}
  %start = (f32[2]{0}, f32[8]{0}) all-gather-start(%c), channel_id=5, dimensions={0}
  %done = f32[8]{0} all-gather-done(%start)
  %both = (f32[4]{0}, s32[]) all-reduce-start(%d, %e), channel_id=6
  %swap = (f32[6]{0}, f32[6]{0}, u32[]) collective-permute-start(%f), channel_id=7
  %add.3 = f32[100]{0} add(%x, %y)
"""


def test_bytes_moved_by_hand():
    assert bytes_moved(PROGRAM) == {
        "all-reduce": 16 * 4 + 6 * 2 + 4 * 4 + 4,
        "all-gather": 8 * 81 * 4 + 8 * 4,  # 32 is one, written down where it overlaps
        "collective-permute": 6 * 4,
    }
