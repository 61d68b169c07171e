"""The workflow for GitHub: it does what `make test` does, with the fewest rights, and nobody can change its parts."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
RIGHTS = {"test": {"contents": "read"}, "publish": {"pages": "write", "id-token": "write"}}


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def text(request):
    return request.param.read_text(encoding="utf-8")


def test_there_is_one():
    assert [path.name for path in FILES] == ["book.yml"]


def test_every_action_is_githubs_own_and_pinned_by_its_hash(text):
    uses = re.findall(r"uses: .*", text)
    assert uses and not [line for line in uses if not PINNED.fullmatch(line)]


def test_jobs_have_the_rights_they_need_and_no_more(text):
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    assert {name: job["permissions"] for name, job in workflow["jobs"].items()} == RIGHTS
    assert "secrets." not in text


def test_only_the_main_branch_is_published_and_only_after_its_tests(text):
    publish = yaml.safe_load(text)["jobs"]["publish"]
    assert publish["needs"] == "test"
    assert "github.ref == 'refs/heads/main'" in publish["if"] and "github.event_name != 'pull_request'" in publish["if"]


def test_it_runs_what_everybody_runs(text):
    steps = [step for step in yaml.safe_load(text)["jobs"]["test"]["steps"] if "run" in step]
    assert [step["run"] for step in steps] == [".ci/run", "make pdf"]
    assert "if" not in steps[0] and "github.ref == 'refs/heads/main'" in steps[1]["if"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.splitlines()[-1] == "REQUIRE_BROWSER=1 make test"


def test_a_judge_of_workflows_finds_nothing():
    zizmor = shutil.which("zizmor", path=Path(sys.executable).parent) or shutil.which("zizmor")
    assert zizmor, "zizmor is not installed: run `make test`"
    command = [zizmor, "--offline", "--no-progress", "--strict-collection", "--persona=auditor", *FILES]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
