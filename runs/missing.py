"""What a machine lacks for a run: a line each. The exit status is 1 if the run could not work without it.

    python runs/missing.py --gpus=8 --fp8 --wandb=my_run --text=17 --checkpoints=73 --tags d24
"""
import argparse
import os
import shutil
import sys
import urllib.request
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import torch

from nanochat.common import get_base_dir
from nanochat.download import hub_endpoint
from nanochat.fp8 import fp8_problem


def missing_gpus(wanted: int, fp8: bool) -> list[str]:
    """What is wrong with the GPUs."""
    found = torch.cuda.device_count()
    if found < wanted:
        build = "" if torch.version.cuda or torch.version.hip else " (this torch is the build without CUDA)"
        return [f"{wanted} GPUs are needed, torch sees {found}{build}"]
    if fp8 and (problem := fp8_problem(torch.device("cuda"))):
        return [f"fp8: {problem}; FP8=0 does without"]
    return []


def held(folders: str) -> float:
    """Gigabytes in the folders of this name, or pattern, under the base directory."""
    size = 0
    for path in get_base_dir().glob(f"{folders}/**/*"):
        with suppress(FileNotFoundError):  # a download on another node has just given it its proper name
            size += path.stat().st_size
    return size / 1e9


def missing_disk(text: float, checkpoints: float, tags: list[str]) -> list[str]:
    """Whether there is room for what text and checkpoints of these models still lack."""
    folder = get_base_dir()
    gigabytes = max(0, text - held("base_data_climbmix"))
    gigabytes += max(0, checkpoints - sum(held(f"*_checkpoints/{tag}") for tag in tags))
    place = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(place).free / 1e9
    wrong = []
    if free < gigabytes:
        wrong.append(f"about {gigabytes:.0f} GB more of disk are needed, {place} has {free:.0f} GB free")
    return wrong if os.access(place, os.W_OK) else [*wrong, f"{place} cannot be written: set NANOCHAT_BASE_DIR"]


def missing_wandb(name: str) -> list[str]:
    """Whether wandb can be logged to."""
    if name == "dummy":
        return []
    if find_spec("wandb") is None:
        return [f"wandb is not installed, which WANDB_RUN={name} needs: pip install wandb"]
    known = "WANDB_API_KEY" in os.environ or os.environ.get("WANDB_MODE") in ("offline", "disabled")
    netrc = Path.home() / ".netrc"
    logged_in = netrc.exists() and os.access(netrc, os.R_OK) and "wandb" in netrc.read_text(errors="replace")
    return [] if known or logged_in else ["wandb does not know you: run `wandb login`, or set WANDB_MODE=offline"]


def slower(gpus: int, fp8: bool) -> list[str]:
    """What a run could do without."""
    lines = []
    kernels = ("flash_attn_interface", "kernels", "flash_attn")
    if gpus and not any(map(find_spec, kernels)):
        lines.append(f"no FlashAttention ({', '.join(kernels)}): attention takes a slower way")
    if fp8 and find_spec("torchao") is None and torch.cuda.device_count() < gpus:
        lines.append("torchao is not installed, which fp8 needs: pip install torchao")
    try:
        with urllib.request.urlopen(hub_endpoint(), timeout=5):
            pass
    except (OSError, ValueError) as e:
        if not getattr(e, "code", None):  # it answers, whatever it thinks of the address
            lines.append(f"the hub at {hub_endpoint()} does not answer ({getattr(e, 'reason', e)}): text that is not "
                         "here already cannot be had")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpus", type=int, default=0, help="of this node; 0: a run on the CPU")
    parser.add_argument("--fp8", action="store_true", help="large matrices multiply in 8 bits")
    parser.add_argument("--text", type=float, default=0.0, help="gigabytes of disk for it")
    parser.add_argument("--checkpoints", type=float, default=1.0, help="gigabytes of disk for them")
    parser.add_argument("--tags", nargs="*", default=[], help="of the models, or patterns: what they hold is there")
    parser.add_argument("--wandb", default="dummy", help="name of the wandb run")
    args = parser.parse_args()
    needed = [*missing_gpus(args.gpus, args.fp8), *missing_disk(args.text, args.checkpoints, args.tags),
              *missing_wandb(args.wandb)]
    for line in needed:
        print(f"missing    {line}", file=sys.stderr)
    for line in slower(args.gpus, args.fp8):
        print(f"note       {line}", file=sys.stderr)
    return bool(needed)


if __name__ == "__main__":
    sys.exit(main())
