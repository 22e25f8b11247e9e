"""The one-file verifier, where nothing of ours is installed, with and without `cryptography`."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evidence.signing.signer import pem_of
from evidence.verifying import single_file, verify
from evidence.verifying.joining import MODULES
from tests.evidence import bundles
from tests.evidence.authority import Authority

HOUSE = Path(__file__).parents[2]


class Expert:
    """Somebody with Python and perhaps `cryptography`, who has never heard of us.

    Parameters
    ----------
    packages
        What is installed beside the standard library.
    """

    def __init__(self, folder: Path, packages: tuple[str, ...]) -> None:
        folder.mkdir()
        self.file = folder / "verify.py"
        self.file.write_text(single_file(), encoding="utf-8")
        self._site = folder / "site"
        self._site.mkdir()
        for name in packages:
            spec = importlib.util.find_spec(name)
            if spec is not None and spec.origin is not None:
                origin = Path(spec.origin)
                there = origin.parent if origin.name == "__init__.py" else origin
                (self._site / there.name).symlink_to(there)

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """`python -I -S verify.py …`, in an empty environment and another folder."""
        start = (
            f"import sys, runpy; sys.path.append({str(self._site)!r}); "
            f"sys.argv = [{str(self.file)!r}, *sys.argv[1:]]; "
            f"runpy.run_path({str(self.file)!r}, run_name='__main__')"
        )
        return subprocess.run(
            [sys.executable, "-I", "-S", "-c", start, *map(str, arguments)],
            cwd=self._site, env={"PATH": os.defpath}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def report(self, *arguments: object) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(self.run(*arguments, "--json").stdout)
        return made


@pytest.fixture(scope="module")
def expert(tmp_path_factory: pytest.TempPathFactory) -> Expert:
    folder = tmp_path_factory.mktemp("expert") / "with"
    return Expert(folder, ("cryptography", "_cffi_backend", "cffi"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bundles.Made:
    return bundles.make_wacz(tmp_path_factory.mktemp("wacz"))


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("tsa"))
    authority.make()
    return authority


def test_nothing_of_ours_is_there(expert: Expert) -> None:
    start = "import sys; sys.path.append(sys.argv[1]); import evidence"
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", start, expert.file.parent / "site"],
        cwd=expert.file.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "No module named 'evidence'" in ran.stderr


def test_it_says_what_the_installed_one_says(
    expert: Expert, made: bundles.Made, tsa: Authority, tmp_path: Path
) -> None:
    bag = bundles.make_case(authority=tsa).write(tmp_path / "bag.zip")
    roots = tsa.roots.read_bytes()
    assert expert.report(made.path) == verify(made.path).to_dict()
    theirs = expert.report(bag, "--roots", tsa.roots)
    assert theirs == verify(bag, roots=roots).to_dict()
    assert theirs["ok"]
    folder = bundles.unpack(bag, tmp_path / "unpacked")
    assert expert.report(folder) == verify(folder).to_dict()


def test_exit_codes_and_words(expert: Expert, made: bundles.Made, tmp_path: Path) -> None:
    ran = expert.run(made.path, "--key", made.signer.key_id, "--sha256", made.sha256)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "INTACT" in ran.stdout
    assert f"[key {made.signer.key_id} (the one that was asked for)]" in ran.stdout
    public = tmp_path / "key.pem"
    public.write_bytes(pem_of(made.signer.public_key))
    assert expert.run(made.path, "--key", public).returncode == 0
    other = expert.run(made.path, "--key", "0" * 64)
    assert other.returncode == 1
    assert "NOT INTACT" in other.stdout
    assert expert.run(made.path, "--key", "no-such-file").returncode == 2
    assert expert.run(made.path, "--roots", "no-such-file").returncode == 2
    absent = expert.run(tmp_path / "absent.wacz")
    assert absent.returncode == 2
    assert "there is no such file" in absent.stderr
    damaged = bytearray(made.path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    changed = tmp_path / "changed.wacz"
    changed.write_bytes(damaged)
    assert expert.run(changed).returncode == 1


def test_without_cryptography_hashes_are_checked_and_the_rest_is_said_not_to_be(
    made: bundles.Made, tsa: Authority, tmp_path: Path
) -> None:
    poor = Expert(tmp_path / "without", ())
    bag = bundles.make_case(authority=tsa).write(tmp_path / "bag.zip")
    for path in (made.path, bag):
        ran = poor.run(path)
        assert ran.returncode == 2, ran.stdout + ran.stderr
        assert "NOT CHECKED: the Python package cryptography is not installed" in ran.stdout
        assert "NOT WHOLLY CHECKED" in ran.stdout
        report = poor.report(path)
        assert not report["ok"]
        left = {check["name"] for check in report["checks"] if not check["checked"]}
        assert left <= {"signature", "checkpoint", "time stamp", "certificate"}
        assert all(check["ok"] for check in report["checks"] if check["checked"])

    def edit(members: bundles.Members) -> None:
        members["extra/capture.json"] = b"changed"

    forged = bundles.remake(made.path, tmp_path / "forged.wacz", edit)
    assert poor.run(forged).returncode == 1


def test_it_is_joined_from_modules_that_need_nothing_else() -> None:
    """Only the standard library, `cryptography`, and each other; and no name stands twice."""
    here = {path.name for path in (HOUSE / "evidence" / "verifying").glob("*.py")}
    joined = {name.partition("/")[2] for name in MODULES if "/" in name}
    assert here - joined == {"__init__.py", "joining.py"}
    allowed = set(sys.stdlib_module_names) | {"cryptography"}
    names: dict[str, str] = {}
    for place, name in enumerate(MODULES):
        tree = ast.parse((HOUSE / "evidence" / name).read_text(encoding="utf-8"))
        before = {f"evidence.{m.removesuffix('.py').replace('/', '.')}" for m in MODULES[:place]}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert all(a.name.partition(".")[0] in allowed for a in node.names), name
            elif isinstance(node, ast.ImportFrom):
                assert node.module is not None
                within = node.module in before and all(a.asname is None for a in node.names)
                assert within or node.module.partition(".")[0] in allowed, (name, node.module)
        for defined in _defined(tree):
            assert names.setdefault(defined, name) == name, f"{defined} is in {names[defined]} too"


def _defined(tree: ast.Module) -> set[str]:
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def test_it_is_python_3_9() -> None:
    """The syntax; that it runs there is seen where such a Python is at hand."""
    ast.parse(single_file(), feature_version=(3, 9))
