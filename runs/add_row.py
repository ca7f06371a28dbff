"""Adds a finished pretraining run to a sweep's table, once.

    python runs/add_row.py sweep.csv d12 --seed=42 [--flops=1e18]

The columns: depth, params (blocks and output), tokens, flops (the budget; without --flops what was spent), val_bpb,
core (of fewer questions where the run was told so; empty where it was not measured), seconds, seed.
`nanochat.scaling_laws.plot_isoflop` draws such a table.
"""
import argparse
import csv
import sys
from pathlib import Path

from nanochat.checkpoint_manager import checkpoint_dir, load_meta
from nanochat.common import UserError, get_base_dir
from nanochat.files import atomic_write, is_complete, read_json

COLUMNS = ("depth", "params", "tokens", "flops", "val_bpb", "core", "seconds", "seed")


def core_of(tag: str, step: int) -> float | str:
    """CORE of a model, or without it what fewer of its questions gave; "" if neither was measured."""
    for path in sorted((get_base_dir() / "report").glob(f"base_eval_{tag}*.json"), key=lambda path: len(path.name)):
        filed = read_json(path)
        core = filed.get("core") or {}
        if filed.get("model_tag") == tag and filed.get("step") == step and core and not core.get("control"):
            return core["core"]
    return ""


def row_of(tag: str, seed: int, flops: float | None) -> dict:
    """The row of a finished run. Raises UserError if it is none."""
    folder = checkpoint_dir("base", tag)
    done = is_complete(folder)
    if done is None:
        raise UserError(f"{folder} holds no finished run")
    plan = load_meta(folder)["plan"]
    scores = done["evaluation"]
    params = plan["params"]["transformer_matrices"] + plan["params"]["lm_head"]
    return dict(depth=plan["config"]["n_layer"], params=params, tokens=plan["trained_tokens"],
                flops=flops or plan["flops"], val_bpb=sum(scores.values()) / len(scores),
                core=core_of(tag, done["step"]), seconds=round(done["seconds"], 1), seed=seed)


def add(table: Path, row: dict) -> None:
    """Writes the table anew with this row; an earlier one of the same depth, budget and seed gives way."""
    rows = []
    if table.exists():
        with open(table, encoding="utf-8", newline="") as f:
            rows = list(csv.DictReader(f))
    if rows and not set(COLUMNS) <= rows[0].keys():
        raise UserError(f"{table} is another kind of table: it lacks {', '.join(set(COLUMNS) - rows[0].keys())}")
    place = lambda r: (int(r["depth"]), float(r["flops"]), int(r["seed"]))
    rows = [r for r in rows if place(r) != place(row)] + [row]
    with atomic_write(table, "w") as f:
        writer = csv.DictWriter(f, COLUMNS, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("tag", help="of the base model")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--flops", type=float, help="the budget that the run was given")
    args = parser.parse_args()
    try:
        add(args.table, row := row_of(args.tag, args.seed, args.flops))
    except UserError as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    print(f"{args.table}: " + ", ".join(f"{k} {v}" for k, v in row.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
