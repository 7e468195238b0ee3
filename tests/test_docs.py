"""What the pages say runs: every Python block, every biosig-lstm line, every example in a docstring, every link."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

import biosig_lstm
from biosig_lstm import cli, shipped

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
PACKAGE = Path(biosig_lstm.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if path.name != "__main__.py"
)

BLOCK = re.compile(
    r"^(?:<!-- needs: (?P<needs>\S+) -->\n)?```(?P<kind>python|bash)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"\]\((?!https?://|#)(?P<target>[^)#]+)(?:#[^)]*)?\)")
COMMAND = "biosig-lstm"


class Block(NamedTuple):
    """A piece of code on a page, and where it stands."""

    kind: str
    code: str
    needs: str
    first_line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(found["kind"], found["code"], found["needs"] or "", text.count("\n", 0, found.start("code")))
        for found in BLOCK.finditer(text)
    ]


def commands(code: str) -> list[list[str]]:
    """Return the arguments of each biosig-lstm line of a shell block."""
    lines = code.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith(f"{COMMAND} ")]


def missing(needs: str, data_root: Callable[[str], Path]) -> str:
    """Return why a block cannot run here, or nothing where it can."""
    if needs == "cuda":
        return "" if torch.cuda.is_available() else "no GPU"
    if needs in {"tensorboard", "soundfile"}:
        return "" if importlib.util.find_spec(needs) else f"{needs} is not installed"
    if needs.startswith("pretrained:"):
        name = needs.removeprefix("pretrained:")
        return "" if name in shipped.names() else f"no pretrained model {name!r}"
    try:
        data_root(needs)
    except pytest.skip.Exception as reason:
        return str(reason)
    return ""


def run_block(block: Block, page: Path, names: dict[str, object]) -> None:
    if block.kind == "python":
        code = "\n" * block.first_line + block.code
        exec(compile(code, str(page), "exec"), names)
        return
    for arguments in commands(block.code):
        assert cli.main(arguments) == 0, f"{page.name}: {COMMAND} {shlex.join(arguments)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_runs_from_top_to_bottom(
    page: Path, data_root: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    names: dict[str, object] = {"__name__": "__main__"}
    left_out = []
    for block in blocks(page):
        reason = missing(block.needs, data_root) if block.needs else ""
        if reason:
            left_out.append(f"line {block.first_line}: {reason}")
            continue
        run_block(block, page, names)
    if left_out:
        pytest.skip(f"the rest ran; left out: {'; '.join(left_out)}")


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings(module: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(module))
    assert failed == 0


def test_there_are_pages_and_examples() -> None:
    finder = doctest.DocTestFinder()
    examples = [test for module in MODULES for test in finder.find(importlib.import_module(module)) if test.examples]
    assert len(examples) >= 40
    assert {"README.md", "CONTRIBUTING.md", "index.md", "quickstart.md"} <= {page.name for page in PAGES}
    assert all(blocks(ROOT / "docs" / name) for name in ("quickstart.md", "ecg-beats.md", "training.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [found["target"] for found in LINK.finditer(page.read_text(encoding="utf-8"))]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_use_public_modules_only(page: Path) -> None:
    private = re.compile(r"biosig_lstm(?:\.\w+)*\._[a-z]|from biosig_lstm[\w.]* import .*\b_[a-z]")
    assert [block.first_line for block in blocks(page) if private.search(block.code)] == []


def test_the_map_names_every_page() -> None:
    listed = {found["target"] for found in LINK.finditer((ROOT / "docs" / "index.md").read_text(encoding="utf-8"))}
    pages = {page.name for page in PAGES if page.parent.name == "docs"} - {"index.md"}
    assert pages - listed == set()


def test_every_fence_is_closed_and_named() -> None:
    for page in PAGES:
        fences = re.findall(r"^```(\w*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(fences) % 2 == 0, f"{page.name}: a block is not closed"
        assert set(fences[1::2]) <= {""}, f"{page.name}: a block opens inside another"
        assert set(fences[::2]) <= {"python", "bash", "text", "toml"}, f"{page.name}: a block does not say what it is"
