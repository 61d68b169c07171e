"""The chapters as tests: nbval runs every cell, and here its outputs are compared, figures included.

nbval compares text letter by letter and leaves pictures out; `tools/compare_outputs.py` says what we compare instead.
"""

import os
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell

from compare_outputs import differences, save_pictures

os.environ.setdefault("OMP_NUM_THREADS", "1")  # in every kernel: with more threads sums differ in their last digits
DIFFERENCES = Path(__file__).parent / "_build" / "differences"


def compare_outputs(cell, test, ref, skip_compare=None):
    """In place of `IPyNbCell.compare_outputs`: True where the outputs agree, else messages in comparison_traceback."""
    cell.comparison_traceback = []
    for i, (message, stored, now) in enumerate(differences(ref, test, clean=cell.sanitize)):
        if stored is not None:
            paths = save_pictures(DIFFERENCES, f"{cell.path.stem}_cell{cell.cell_num}_{i}", stored, now)
            message += "\n  look at " + " ".join(str(path) for path in paths)
        cell.comparison_traceback.append(message)
    return not cell.comparison_traceback


IPyNbCell.compare_outputs = compare_outputs


def pytest_runtest_setup(item):
    """nbval compares nothing where a cell's count is missing, so counts must run 1, 2, 3, …"""
    if isinstance(item, IPyNbCell) and item.cell.execution_count != item.cell_num + 1:
        pytest.fail(
            f"code cell {item.cell_num} of {item.path.name} has execution count {item.cell.execution_count}, "
            f"not {item.cell_num + 1}: run `make chapters`",
            pytrace=False,
        )
