"""Keeps notebooks, library and README together (development only).

    python runs/book.py execute nbs/03_optimizer.ipynb ...   run and store fresh outputs
    python runs/book.py runall nbs/03_optimizer.ipynb ...    as Run All in Jupyter does, elsewhere; stores nothing
    python runs/book.py readme [--check]                     README.md from nbs/index.ipynb

`execute` also folds the solution of every place to build, so that a reader in JupyterLab tries first.
It honours `#| eval: false`: such a cell is not run and keeps the outputs it has. `runall` honours nothing, as Jupyter.
"""
import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_RUN = "skip-execution"  # nbclient leaves cells with this tag alone


def directives(source: str) -> set[str]:
    """The words of the `#|` lines a cell starts with."""
    words = set()
    for line in source.splitlines():
        if not line.startswith("#|"):
            break
        words.add(line[2:].strip())
    return words


def run_cells(nb, folder: Path, timeout: int | None) -> float:
    """Runs every cell in a fresh kernel; returns the seconds. Raises where a cell does."""
    from nbclient import NotebookClient

    start = time.time()
    NotebookClient(nb, timeout=timeout, kernel_name="python3", store_widget_state=False, record_timing=False,
                   resources={"metadata": {"path": str(folder)}}).execute()
    return time.time() - start


def fold_solutions(nb) -> None:
    """Folds the cell that follows `#| build: NAME` and defines NAME."""
    wanted = None
    for cell in nb.cells:
        build = re.match(r"#\|\s*build:\s*(\w+)", cell.source)
        if cell.cell_type == "code":
            cell.metadata.pop("jupyter", None)
        if build:
            wanted = build[1]
        elif wanted and cell.cell_type == "code" and re.search(rf"^(def|class) {wanted}\b", cell.source, re.MULTILINE):
            cell.metadata["jupyter"] = {"source_hidden": True}
            wanted = None


def runall(path: Path) -> tuple[float, float, str]:
    """Runs a notebook as a reader does who opens it anywhere and presses Run All: seconds, processor time, error."""
    import nbformat

    error, start, seconds = "", time.time(), 0.0
    with tempfile.TemporaryDirectory() as elsewhere:
        try:
            run_cells(nbformat.read(path, as_version=4), Path(elsewhere), timeout=300)
        except Exception as e:
            error = str(e)
        seconds = time.time() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, used.ru_utime + used.ru_stime, error


def state() -> dict[str, int]:
    """What git sees of the checkout, to tell whether something was left in it."""
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True,
                           text=True, check=True).stdout.split("\0")
    return {name: hash((ROOT / name).read_bytes()) for name in files if name and (ROOT / name).is_file()}


def runall_of(paths: list[Path], workers: int) -> int:
    """Run All over many notebooks; how many failed. A slow one is told, not failed: seconds are the machine's."""
    before, failed = state(), 0
    with get_context("spawn").Pool(workers, maxtasksperchild=1) as pool:  # a process each: its children are counted
        for path, (seconds, used, error) in zip(paths, pool.imap(runall, paths)):
            failed += bool(error)
            slow = "" if min(seconds, used) <= 60 else "slow: a reader should not wait a minute"
            print(f"{'FAILED' if error else 'ok':7} {path} {seconds:.0f} s, {used:.0f} s of processor time "
                  f"{error or slow}", flush=True)
    if left := sorted(name for name, value in state().items() if before.get(name) != value):
        print("FAILED  changed in the checkout:", *left)
    return failed + bool(left)


def execute(path: Path) -> float:
    """Runs one notebook in its own folder, writes it back cleaned with its outputs; returns the seconds it took."""
    import nbformat
    from execnb.nbio import read_nb, write_nb
    from nbdev.clean import clean_nb

    nb = nbformat.read(path, as_version=4)
    for cell in nb.cells:
        if cell.cell_type == "code" and "eval: false" in directives(cell.source):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), NOT_RUN]
    seconds = run_cells(nb, path.parent, timeout=None)
    fold_solutions(nb)
    for cell in nb.cells:
        tags = [t for t in cell.metadata.get("tags", []) if t != NOT_RUN]
        cell.metadata.pop("tags", None)
        if tags:
            cell.metadata["tags"] = tags
        for output in cell.get("outputs", []):
            # a widget's id is new in every run and means nothing without its kernel
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
        if cell.cell_type == "code":
            merge_streams(cell)
    nb.metadata.pop("widgets", None)
    temporary = path.with_suffix(".tmp")
    nbformat.write(nb, temporary)
    clean = read_nb(temporary)
    clean_nb(clean, allowed_cell_metadata_keys=["jupyter"])
    write_nb(clean, path)
    temporary.unlink()
    return seconds


def merge_streams(cell) -> None:
    """Joins what a cell printed in pieces, so that the stored output does not depend on buffering."""
    merged = []
    for output in cell.outputs:
        if merged and output.output_type == "stream" and merged[-1].get("name") == output.name:
            merged[-1].text += output.text
        else:
            merged.append(output)
    cell.outputs = merged


def relink(text: str) -> str:
    """Links between notebooks are relative to nbs/; the README stands one level above."""
    text = re.sub(r"\]\((?!https?:|#|\.\./|/)([^)]+)\)", r"](nbs/\1)", text)
    return text.replace("](../", "](")


def readme() -> str:
    """README.md as nbs/index.ipynb says it: its markdown, its visible code and what that printed."""
    import nbformat

    parts = ["<!-- Made from nbs/index.ipynb by `python runs/book.py readme`; edit that notebook. -->"]
    for cell in nbformat.read(ROOT / "nbs/index.ipynb", as_version=4).cells:
        if cell.cell_type == "markdown":
            parts.append(relink(cell.source))
            continue
        if directives(cell.source) & {"hide", "export"} or not cell.source.strip():
            continue
        if "echo: false" in directives(cell.source):  # a page made by a cell: only what it made is shown
            parts += [relink(o["data"]["text/markdown"]) for o in cell.outputs]
            continue
        parts.append(f"```python\n{cell.source}\n```")
        printed = "".join(o.text if o.output_type == "stream" else o.get("data", {}).get("text/plain", "")
                          for o in cell.outputs)
        if printed:
            parts.append(f"```\n{printed.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in (("execute", "run and store the outputs"), ("runall", "run as Jupyter does, store nothing")):
        run = commands.add_parser(name, help=words)
        run.add_argument("notebooks", nargs="+", type=Path)
    run.add_argument("--workers", type=int, default=1, help="notebooks at a time")
    page = commands.add_parser("readme", help="write README.md from nbs/index.ipynb")
    page.add_argument("--check", action="store_true", help="write nothing; fail when README.md differs")
    args = parser.parse_args()
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    if args.command == "runall":
        return runall_of(args.notebooks, args.workers) > 0
    if args.command == "execute":
        for path in args.notebooks:
            seconds = execute(path)
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = used.ru_utime + used.ru_stime
            print(f"{path}: {seconds:.1f} s ({used:.0f} s of processor time so far)", flush=True)
        return 0
    target = ROOT / "README.md"
    if args.check:
        if target.exists() and target.read_text(encoding="utf-8") == readme():
            return 0
        print("README.md differs from nbs/index.ipynb: run `python runs/book.py readme`", file=sys.stderr)
        return 1
    target.write_text(readme(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
