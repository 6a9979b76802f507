"""The benchmark of the pages."""

from tests.bench.art.comparison import Vector
from tests.bench.art.measures import Measures
from tests.bench.art.results import Result, Results


def test_results_of_an_interrupted_run_are_found_by_the_next(tmp_path):
    measures = Measures(*range(11))
    results = Results(tmp_path)
    results.save("child", "dog", Result(measures, 4.5, 600.0, Vector(20.5, 0.25)), b"page")
    results.save("Canny", "dog", Result(measures), b"other")
    results.speedup = 1.9
    again = Results(tmp_path)

    assert again.load("child", "dog") == Result(measures, 4.5, 600.0, Vector(20.5, 0.25))
    assert again.load("Canny", "dog") == Result(measures)
    assert again.page("child", "dog") == b"page"
    assert again.load("child", "cow") is None
    assert again.speedup == 1.9
