"""The promises that every notebook and module keeps, checked (development only).

    python runs/house.py    prints what is broken, one line each, then "N passed, N failed"
"""
import ast
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NBS, LIBRARY = ROOT / "nbs", ROOT / "nanochat"
HEADER = "| you build | you need | it exports | on two CPU cores |"
MODULE_LINES, CELL_LINES, CELLS, KILOBYTES = 450, 50, 100, 300  # a place to build takes five cells, two of them hidden
BUILDERS = "00 01 02 03 04 05 06 07 10 11 12 13 14 15 16 17 21".split()  # chapters with places to build


def cells_of(path: Path) -> list[tuple[str, str]]:
    """(cell type, source) of a notebook's cells."""
    return [(c["cell_type"], "".join(c["source"])) for c in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def module_of(cells: list[tuple[str, str]]) -> str | None:
    """The module that a notebook exports to, e.g. "scripts.base_train"."""
    found = [m[1] for _, source in cells if (m := re.match(r"#\|\s*default_exp\s+(\S+)", source))]
    return found[0] if found else None


def imported(tree: ast.Module, package: str) -> set[str]:
    """The modules of the library that a module imports, also inside functions, e.g. {"common", "tasks.common"}."""
    names = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not (node.level or (node.module or "").startswith("nanochat")):
            continue
        base = (node.module or "").removeprefix("nanochat").lstrip(".") if not node.level else node.module or ""
        if node.level:
            parents = package.split(".")[:-1]
            base = ".".join([*parents[:len(parents) - node.level + 1], *base.split(".")]).strip(".")
        names |= {base} if base else {alias.name for alias in node.names}
        names |= {f"{base}.{alias.name}" for alias in node.names if base}
    return names


def check_notebook(path: Path, cells: list[tuple[str, str]]) -> list[str]:
    """What a notebook's own form lacks."""
    wrong = []
    first = cells[0][1] if cells else ""
    if path.name != "index.ipynb":
        if not re.match(r"# .+\n\n> \S", first):
            wrong.append("the first cell is not `# Title` and a `> subtitle`")
        if HEADER not in first:
            wrong.append(f"the first cell lacks the table {HEADER}")
    if len(cells) > CELLS:
        wrong.append(f"{len(cells)} cells, at most {CELLS}")
    if path.stat().st_size > KILOBYTES * 1000:
        wrong.append(f"{path.stat().st_size // 1000} kB, at most {KILOBYTES}")
    for number, (kind, source) in enumerate(cells):
        if not source.strip():
            wrong.append(f"cell {number} is empty")
        if kind != "code":
            for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", source):
                if not (path.parent / target).exists():
                    wrong.append(f"cell {number} links to {target}, which does not exist")
            continue
        lines = [line for line in source.splitlines() if line.strip()]
        if len(lines) > CELL_LINES and not re.match(r"#\|\s*hide\b", source):
            wrong.append(f"cell {number} has {len(lines)} lines, at most {CELL_LINES}")
        if re.search(r"^#\|\s*(slow|gpu|notest)\b", source, re.MULTILINE):
            wrong.append(f"cell {number} has a flag that Jupyter does not know")
        if "eval: false" in source and 'if __name__ == "__main__"' not in source:
            wrong.append(f"cell {number} is never executed by nbdev_test, but by Jupyter")
        if re.search(r"^\s*assert .*(time\.|perf_counter).*[<>]", source, re.MULTILINE):
            wrong.append(f"cell {number} asserts something about seconds")
    return wrong


def check_builds(path: Path, cells: list[tuple[str, str]]) -> list[str]:
    """Each place to build has a check, a solution behind it, and a test of the check."""
    wrong, names = [], []
    code = [source for kind, source in cells if kind == "code"]
    for number, source in enumerate(code):
        if not (mark := re.match(r"#\|\s*build:\s*(\w+)", source)):
            continue
        name = mark[1]
        names.append(name)
        before, after = "\n".join(code[:number]), code[number + 1:]
        if f"check_{name}({name})" not in source:
            wrong.append(f"build {name}: its cell does not call check_{name}({name})")
        if not re.search(rf"@build_check\ndef check_{name}\b", before):
            wrong.append(f"build {name}: no check before it")
        if not any(re.search(rf"^(?:def|class) {name}\b", later, re.MULTILINE) for later in after):
            wrong.append(f"build {name}: no solution behind it")
        if not any(f"test_build(check_{name}, {name}" in later for later in after):
            wrong.append(f"build {name}: no test_build behind it")
    if path.parent == NBS and path.name[:2] in BUILDERS and len(names) < 3:
        wrong.append(f"{len(names)} places to build, at least 3")
    return wrong


def check_order(chapters: dict[str, str], trees: dict[str, ast.Module]) -> list[str]:
    """A chapter imports from lower numbers and appendices, an appendix and tinyworld from appendices."""
    wrong = []
    for module, room in chapters.items():
        for other in imported(trees[module], module) & set(chapters):
            of = chapters[other]
            if other == module or of.startswith("appendix"):
                continue
            numbered = room[:2].isdigit() and of[:2].isdigit() and of[:2] < room[:2]
            made_up = of.startswith("tinyworld") and (room.startswith("tinyworld") or "_sources" in room)
            sources = "_sources" in room and of.startswith("05")
            if not (numbered or made_up or sources):
                wrong.append(f"{room} imports {other} of {of}")
    return wrong


def main() -> int:
    wrong, passed = [], 0
    notebooks = {p: cells_of(p) for p in sorted(NBS.rglob("*.ipynb")) if ".ipynb_checkpoints" not in p.parts}
    modules = {}
    for path, cells in notebooks.items():
        room = path.relative_to(NBS).as_posix()
        bad = check_notebook(path, cells) + check_builds(path, cells)
        wrong += [f"{room}: {text}" for text in bad]
        passed += not bad
        if module := module_of(cells):
            modules[module] = room
    trees = {}
    for path in sorted(LIBRARY.rglob("*.py")):
        name = path.relative_to(LIBRARY).with_suffix("").as_posix().replace("/", ".")
        text = path.read_text(encoding="utf-8")
        trees[name] = ast.parse(text)
        bad = []
        if name != "_modidx" and len(text.splitlines()) > MODULE_LINES:
            bad.append(f"{len(text.splitlines())} lines, at most {MODULE_LINES}")
        if name not in modules and name != "_modidx" and trees[name].body and "AUTOGENERATED" in text:
            bad.append("its notebook is gone")
        wrong += [f"nanochat/{name}: {text}" for text in bad]
        passed += not bad
    for module, room in modules.items():
        if module not in trees:
            wrong.append(f"{room}: exports {module}, which does not exist: run nbdev_export")
    ordered = {m: room for m, room in modules.items()
               if m in trees and (room[:2].isdigit() or room.startswith(("appendix", "tinyworld")))}
    bad = check_order(ordered, trees)
    wrong += bad
    passed += not bad
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{passed} passed, {len(wrong)} failed")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
