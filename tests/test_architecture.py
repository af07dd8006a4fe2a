"""The house: rooms look downwards, faces are not imported, and every one-door rule has one door."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive import dispatch
from archive.broker import app
from archive.models import Step

ROOT = Path(__file__).parent.parent
ROOMS = ("archive", "workers", "search")
TOP = {
    *("manage.py", "archive", "search", "workers", "templates", "tests", "requirements.in", "requirements.txt"),
    *("README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "Makefile", "compose.yaml", "docs", ".ci"),
}
FACES = {
    *("views", "act_views", "saved_views", "alert_views", "moment_views", "reuse_views", "admin", "forms", "tasks"),
    *("api", "api_batches", "api_moments", "api_reuse", "api_classify", "api_saved", "api_alerts", "commands"),
    *("urls", "api_urls", "apps", "checks", "wsgi"),
}
# What one face may be imported by: the table that hangs it up, and its own package.
HANGERS = {"urls", "api_urls", "apps", "settings", "unknown_urls"}
# What imports torch, and so is imported only where a model is opened.
HEAVY_MODULES = (
    *("clip", "align", "xclip", "transformers_folder", "trained", "running", "device"),
    *("adapting", "training"),
)
UNNAMED = {"utils", "util", "helpers", "helper", "services", "managers", "misc", "common"}
# Postgres and Valkey are called services by the people who run them: the word is meant as it stands.
NAMED_AFTER_SERVERS = {"archive/bundled/services.py"}


@dataclass(frozen=True)
class Import:
    by: str  # the module that imports, dotted
    of: str  # what it imports, dotted, down to the module
    line: int


def modules() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                yield dotted.removesuffix(".__init__"), path


def parsed() -> Iterator[tuple[str, Path, ast.Module]]:
    for dotted, path in modules():
        yield dotted, path, ast.parse(path.read_text())


def imports() -> Iterator[Import]:
    known = {dotted for dotted, _ in modules()}
    for dotted, _, tree in parsed():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (Import(dotted, alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{dotted}: relative imports hide where they lead"
                base = node.module or ""
                for alias in node.names:
                    whole = f"{base}.{alias.name}"
                    yield Import(dotted, whole if whole in known else base, node.lineno)


IMPORTS = list(imports())


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def told(found: list[Import]) -> list[str]:
    return [f"{one.by}:{one.line} imports {one.of}" for one in found]


def test_the_walk_sees_the_house() -> None:
    assert len(list(modules())) > 60
    assert any(one.by == "search.engine" and one.of == "search.neighbours" for one in IMPORTS)


def test_the_archive_imports_neither_search_nor_workers() -> None:
    assert told([i for i in IMPORTS if within(i.by, "archive") and within(i.of, "search", "workers")]) == []


def test_workers_do_not_import_search() -> None:
    assert told([i for i in IMPORTS if within(i.by, "workers") and within(i.of, "search")]) == []


def test_search_asks_workers_only_through_their_client() -> None:
    """Commands are run by a person and not by a request: `benchmark` starts workers' benchmarks, and `space` adds
    a verb to the workers' command of that name."""
    allowed = {"workers.client"}
    found = [
        i
        for i in IMPORTS
        if within(i.by, "search")
        and within(i.of, "workers")
        and i.of not in allowed
        and not (within(i.by, "search.benchmarks", "search.management") and within(i.of, "workers.benchmarks"))
        and not (within(i.by, "search.management") and within(i.of, "workers.management"))
    ]
    assert told(found) == []


def test_the_model_libraries_are_imported_behind_one_door() -> None:
    libraries = ("torch", "open_clip", "torchvision", "transformers", "timm", "safetensors")
    doors = ("workers.encoders", "workers.benchmarks")
    found = [i for i in IMPORTS if within(i.of, *libraries) and not within(i.by, *doors)]
    assert told(found) == []


def test_only_encoders_and_their_training_are_imported_lazily_or_by_name() -> None:
    """Nobody reaches the one module that imports torch except by `import_module`, when a model is opened."""
    allowed = ("workers.encoders", "workers.benchmarks")
    heavy = tuple(f"workers.encoders.{name}" for name in HEAVY_MODULES)
    assert told([i for i in IMPORTS if within(i.of, *heavy) and not within(i.by, *allowed)]) == []


def test_nobody_imports_a_face() -> None:
    def face_in(name: str) -> str | None:
        """The dotted name of the face that a module is, or lies in."""
        parts = name.split(".")
        at = next((n for n, part in enumerate(parts) if n and part in FACES), None)
        return None if at is None else ".".join(parts[: at + 1])

    found = []
    for one in IMPORTS:
        face = face_in(one.of)
        if face is None or not within(one.of, *ROOMS):
            continue
        by_hanger = one.by.split(".")[-1] in HANGERS
        same_face = face_in(one.by) == face
        # Views take forms, and a wider face takes the shapes of a narrower one of its room or below.
        face_to_face = face_in(one.by) is not None and face.split(".")[-1] in {"forms", "api", "admin", "commands"}
        if not (by_hanger or same_face or face_to_face):
            found.append(one)
    assert told(found) == []


def test_no_module_is_called_by_a_word_that_says_nothing() -> None:
    named = [path.relative_to(ROOT) for _, path in modules()]
    found = [str(path) for path in named if UNNAMED & {path.stem, *path.parent.parts}]
    assert set(found) <= NAMED_AFTER_SERVERS


def test_the_top_level_is_what_the_card_says() -> None:
    """As git knows it: what lies about untracked is nobody's business."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:  # an archive without its history: look at the folder itself
        names = {path.name for path in ROOT.iterdir()}
    else:
        names = {name.split("/")[0] for name in listed.stdout.splitlines()}
    strange = {name for name in names - TOP if not name.startswith(".") and name != "var"}
    assert strange == set()


def code_of(path: Path) -> str:
    """The file's strings and code, without comments and docstrings."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body[0] = ast.Pass()
    return ast.unparse(tree)


def test_the_nearest_neighbour_operator_stands_in_one_place() -> None:
    operator = re.compile(r"<#>|<=>|<->|<~>|MaxInnerProduct|CosineDistance|L2Distance|HammingDistance")
    found = [dotted for dotted, path in modules() if operator.search(code_of(path))]
    # Benchmarks measure the bare statement beside it.
    assert {name for name in found if not within(name, "search.benchmarks")} == {
        "search.neighbours",
        "search.neighbours.pairs",
        "search.neighbours.statement",
    }


def test_enqueueing_happens_in_one_file() -> None:
    found = []
    for dotted, _, tree in parsed():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"apply_async", "delay", "delay_on_commit", "send_task", "signature", "apply_async_on_commit"}:
                found.append(dotted)
    assert set(found) == {"archive.dispatch"}


def registered() -> set[str]:
    import workers.tasks  # noqa: F401

    return {name for name in app.tasks if not name.startswith("celery.")}


def test_every_task_that_is_rung_for_exists_and_has_a_queue() -> None:
    named = {value for name, value in vars(dispatch).items() if name.isupper() and isinstance(value, str)}
    assert set(dispatch.DRAIN) == set(Step)
    assert named | set(dispatch.DRAIN.values()) == registered() == set(dispatch.QUEUES)


def test_every_queue_has_a_worker_in_the_launcher(tmp_path: Path) -> None:
    from archive.bundled.processes import processes

    table = processes(host="127.0.0.1", port=1, data=tmp_path)
    served = {p.command[p.command.index("-Q") + 1] for p in table if "-Q" in p.command}
    assert served == set(dispatch.QUEUES.values())


def test_the_clock_rings_only_for_tasks_that_exist_and_in_their_queue() -> None:
    from django.conf import settings

    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in registered()
        assert entry["options"]["queue"] == dispatch.QUEUES[entry["task"]]
        assert entry["options"]["expires"]


HEAVY = "print(sorted(set(sys.modules) & {'torch', 'open_clip', 'transformers', 'torchvision', 'timm'}))"


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(
            "import archive.wsgi\n"
            "from django.urls import get_resolver\n"
            "assert len(get_resolver().url_patterns) > 10 and get_resolver()._populate() is None",
            id="the web",
        ),
        pytest.param("import workers\nworkers.app.loader.import_default_modules()", id="the parent of a pool"),
        pytest.param("import workers, celery.apps.beat", id="the clock"),
        pytest.param(
            "import django; django.setup()\n"
            "from django.core.management import get_commands, load_command_class\n"
            "ours = [(a, c) for c, a in get_commands().items() if a in ('archive', 'search', 'workers')]\n"
            "assert [load_command_class(a, c) for a, c in ours]",
            id="the commands",
        ),
    ],
)
def test_no_model_library_is_loaded_by(what: str) -> None:
    """torch takes seconds and hundreds of megabytes, and must not be in a process that forks."""
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{what}\n{HEAVY}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip().splitlines()[-1] == "[]"
