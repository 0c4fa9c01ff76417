"""Cases with a known answer: one per equation and goal, worked figures, and the example cases."""

import pytest

pytest.register_assert_rewrite("tests.golden.checks")
