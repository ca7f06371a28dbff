"""Keeps notebooks, library and README together (development only).

    python runs/book.py execute nbs/05_optimizer.ipynb ... [--flags slow gpu]   run and store fresh outputs
    python runs/book.py readme [--check]                                        README.md from nbs/index.ipynb

`execute` honours nbdev's directives: a cell marked `#| eval: false`, or with a flag of settings.ini's tst_flags
that was not asked for, is not run and keeps the outputs it has.
"""
import argparse
import configparser
import os
import re
import sys
import time
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


def execute(path: Path, flags: list[str]) -> float:
    """Runs one notebook in its own folder, writes it back cleaned with its outputs; returns the seconds it took."""
    import nbformat
    from execnb.nbio import read_nb, write_nb
    from nbclient import NotebookClient
    from nbdev.clean import clean_nb

    settings = configparser.ConfigParser()
    settings.read(ROOT / "settings.ini")
    skip = set(settings["DEFAULT"]["tst_flags"].split()) - set(flags)
    nb = nbformat.read(path, as_version=4)
    for cell in nb.cells:
        words = directives(cell.source)
        if cell.cell_type == "code" and (words & skip or "eval: false" in words):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), NOT_RUN]
    start = time.time()
    client = NotebookClient(nb, timeout=None, kernel_name="python3", store_widget_state=False, record_timing=False,
                            resources={"metadata": {"path": str(path.parent)}})
    client.execute()
    seconds = time.time() - start
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
    clean_nb(clean)
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


def readme() -> str:
    """README.md as nbs/index.ipynb says it: its markdown, its visible code and what that printed."""
    import nbformat

    parts = ["<!-- Made from nbs/index.ipynb by `python runs/book.py readme`; edit that notebook. -->"]
    for cell in nbformat.read(ROOT / "nbs/index.ipynb", as_version=4).cells:
        if cell.cell_type == "markdown":
            # links between notebooks are relative to nbs/; the README stands one level above
            parts.append(re.sub(r"\]\((?!https?:|#|\.\./|/)([^)]+)\)", r"](nbs/\1)", cell.source).replace("](../", "]("))
            continue
        if directives(cell.source) & {"hide", "export"} or not cell.source.strip():
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
    run = commands.add_parser("execute", help="run notebooks and store their outputs")
    run.add_argument("notebooks", nargs="+", type=Path)
    run.add_argument("--flags", nargs="*", default=[], help="cells with these flags run too: slow, gpu")
    page = commands.add_parser("readme", help="write README.md from nbs/index.ipynb")
    page.add_argument("--check", action="store_true", help="write nothing; fail when README.md differs")
    args = parser.parse_args()
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    if args.command == "execute":
        for path in args.notebooks:
            print(f"{path}: {execute(path, args.flags):.1f} s", flush=True)
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
