from jaxastro.reports.comparison.tables import p_text, time_text
from jaxastro.reports.style import difference_text, percent_text, wrapped_name


def test_numbers_are_rounded_and_signed():
    assert percent_text((0.70618, 0.66, 0.75)) == "70.6 [66.0, 75.0]"
    assert percent_text((-0.0003, -0.02, 0.01), sign="+") == "+0.0 [−2.0, +1.0]"
    gap = {"value": 0.4, "low": -0.34, "high": 1}
    assert difference_text(gap) == "+0.40 [−0.34, +1.00]"
    assert [time_text(s) for s in (48, 1500, 9000)] == ["48 s", "25 min", "2.5 h"]
    assert [p_text(p) for p in (0, 0.0004213, 1)] == ["≤ 0.0001", "0.00042", "1"]
    assert wrapped_name("a b c d e f", 5) == "a b c\nd e f"
    assert wrapped_name("$x", 5) == r"\$x"
