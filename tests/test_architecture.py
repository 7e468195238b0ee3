"""The contracts of docs/architecture.md: who may import whom, what stays unloaded, and the rules of the house."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import biosig_lstm
from biosig_lstm import steps

PACKAGE = Path(biosig_lstm.__file__).parent
TESTS = Path(__file__).parent

LAYERS = {
    "errors": 0, "steps": 0,
    "": 1, "_artefacts": 1, "containers": 1,
    "_table_facts": 2, "_time_order": 2, "decoding": 2, "events": 2, "features": 2, "filters": 2,
    "formats": 2, "transfer": 2, "windows": 2,
    "augmentation": 3, "datasets": 3, "metrics": 3, "pipeline": 3, "splits": 3, "tables": 3,
    "models": 4,
    "training": 5,
    "advice": 6, "estimators": 6,
    "recipes": 7, "scoring": 7, "shipped": 7,
    "plot": 8, "report": 8, "studies": 8,
    "cli": 9, "demo": 9,
    "__main__": 10,
}  # fmt: skip
"""Layer of each folder and module of the package; the empty name is the package's own ``__init__``."""

ONLY_IN = {
    "lightning": {"training"},
    "mne": {"containers", "formats"},
    "wfdb": set(),
    "soundfile": {"formats"},
    "safetensors": {"estimators"},
    "torch": {"models", "training", "estimators", "studies"},
    "matplotlib": {"metrics", "plot", "studies"},
    "requests": {"transfer"},
    "rich": {"cli", "training", "transfer"},
}
"""The only places that know these packages."""

HEAVY = {"lightning", "pytorch_lightning", "matplotlib", "mne", "numba", "numpy", "scipy", "torch", "wfdb"}


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}
PUBLIC = [name for name in SOURCES if not any(part.startswith("_") for part in name.split("."))]
SUITE = {path.name: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(TESTS.rglob("*.py"))}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def layer_name(module: str) -> str:
    """Return the folder or module directly below the package that `module` belongs to."""
    return module.split(".")[1] if "." in module else ""


def layer(module: str) -> int:
    return LAYERS[layer_name(module)]


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name if name in SOURCES else str(node.module) for name in names]
    return []


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        yield from imported(node)


def executed(node: ast.AST) -> Iterator[str]:
    """Yield what is imported when the module is: neither inside functions nor for type checking alone."""
    for child in ast.iter_child_nodes(node):
        for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not isinstance(child, Function) and not for_types:
            yield from imported(child)
            yield from executed(child)


def functions(tree: ast.AST) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """Return the lines of a function without its signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == name)


def loaded_after(code: str) -> set[str]:
    """Return the top-level packages that a fresh process has loaded after running `code`."""
    whole = f"import json, sys\n{code}\nsys.stdout.write(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_every_module_has_a_layer() -> None:
    assert {layer_name(name) for name in SOURCES} == set(LAYERS)


@pytest.mark.parametrize("module", SOURCES)
def test_imports_go_down_the_layers(module: str) -> None:
    own = [name for name in imports(TREES[module]) if name.split(".")[0] == "biosig_lstm"]
    others = [name for name in own if layer_name(name) != layer_name(module)]
    assert [name for name in others if layer(name) >= layer(module)] == [], f"{module} is of layer {layer(module)}"


def test_imports_make_no_cycle() -> None:
    graph = {
        module: {name for name in executed(tree) if name in SOURCES and name != module}
        for module, tree in TREES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"cycle of imports: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("package", ONLY_IN)
def test_a_package_is_known_in_its_own_place_only(package: str) -> None:
    users = {layer_name(m) for m, tree in TREES.items() if package in {name.split(".")[0] for name in imports(tree)}}
    assert users == ONLY_IN[package]


def test_nothing_below_the_models_loads_torch_lightning_or_mne() -> None:
    low = [name for name in SOURCES if layer(name) < LAYERS["models"]]
    loaded = loaded_after(f"import importlib\nfor name in {low!r}: importlib.import_module(name)")
    assert "scipy" in loaded
    assert not loaded & {"torch", "lightning", "pytorch_lightning", "mne", "wfdb", "soundfile"}


@pytest.mark.parametrize("module", ["biosig_lstm", "biosig_lstm.errors", "biosig_lstm.cli"])
def test_a_light_import_stays_light(module: str) -> None:
    assert not loaded_after(f"import {module}") & HEAVY


@pytest.mark.parametrize("names", [("Bandpass", "AroundEvents", "open_recording"), ("metrics", "Pipeline", "audit")])
def test_a_name_loads_only_what_it_needs(names: tuple[str, ...]) -> None:
    loaded = loaded_after("\n".join(["import biosig_lstm", *(f"biosig_lstm.{name}" for name in names)]))
    assert loaded & HEAVY <= {"numpy", "scipy", "numba"}


@pytest.mark.parametrize("name", biosig_lstm.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(biosig_lstm, name) is not None
    assert name in dir(biosig_lstm)


def test_an_unknown_public_name_is_guessed() -> None:
    with pytest.raises(AttributeError, match="'Bandpas'; did you mean 'Bandpass'"):
        biosig_lstm.Bandpas  # noqa: B018


@pytest.mark.parametrize("module", PUBLIC)
def test_what_a_module_offers_is_there_and_documented(module: str) -> None:
    found = importlib.import_module(module)
    assert found.__doc__
    offered = getattr(found, "__all__", [])
    assert len(set(offered)) == len(offered)
    for name in offered:
        thing = getattr(found, name)
        if inspect.isfunction(thing) or inspect.isclass(thing):
            assert inspect.getdoc(thing), f"{module}.{name} has no docstring"


@pytest.mark.parametrize("module", SOURCES)
def test_house_rules(module: str) -> None:
    tree, path = TREES[module], SOURCES[module]
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500
    assert list(calls(tree, "print")) == []
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert | ast.Global)] == []
    for handler in (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)):
        assert handler.type is not None, f"line {handler.lineno}: except without a class"
        swallowed = all(isinstance(node, ast.Pass | ast.Continue) for node in handler.body)
        assert not swallowed, f"line {handler.lineno}: an error is passed over"
    for function in functions(tree):
        assert body_lines(function) <= 60, f"{function.name} is too long"
        defaults = [*function.args.defaults, *(value for value in function.args.kw_defaults if value)]
        mutable = [node for node in defaults if isinstance(node, ast.List | ast.Dict | ast.Set)]
        assert mutable == [], f"{function.name} has a mutable default"


def test_functions_are_short_as_a_rule() -> None:
    lengths = sorted(body_lines(function) for tree in TREES.values() for function in functions(tree))
    assert lengths[len(lengths) // 2] <= 8
    assert sum(length > 35 for length in lengths) <= 0.01 * len(lengths)


def test_one_environment_variable_besides_the_systems_own_for_caches() -> None:
    reads = {
        ast.literal_eval(call.args[0])
        for tree in TREES.values()
        for call in [*calls(tree, "os.environ.get"), *calls(tree, "os.getenv")]
    }
    assert reads == {"BIOSIG_LSTM_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"}


@pytest.mark.parametrize("folder", ["filters", "events", "features"])
def test_steps_are_found_by_one_function(folder: str) -> None:
    package = importlib.import_module(f"biosig_lstm.{folder}")
    assert package.steps() == steps.find_steps(package.__name__)
    assert list(calls(TREES[package.__name__], "find_steps"))
    for name, kind in package.steps().items():
        assert kind.kind == folder.removesuffix("s"), f"{name} is a step of another kind"


def test_folders_are_listed_by_one_function() -> None:
    listing = {m for m, tree in TREES.items() if list(calls(tree, "pkgutil.iter_modules"))}
    assert listing == {"biosig_lstm.steps"}


@pytest.mark.parametrize("name", SUITE)
def test_tests_say_which_error_or_warning_they_expect(name: str) -> None:
    expected = [call for what in ("raises", "warns") for call in calls(SUITE[name], f"pytest.{what}")]
    vague = [call.lineno for call in expected if "match" not in {keyword.arg for keyword in call.keywords}]
    assert vague == []


def test_no_public_name_is_also_a_module_that_would_take_its_place() -> None:
    shortcuts = set(biosig_lstm._HOMES)
    modules = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert shortcuts & modules <= {"pretrained"}, "importing the module would put it in the place of the shortcut"
    assert not list((PACKAGE / "pretrained").glob("*.py")), "pretrained is a folder of weights, no package"
