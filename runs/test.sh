#!/usr/bin/env bash
# Every check of the project, on a fresh machine too: installs into .venv, then tests notebooks, library and command line.
#
#   bash runs/test.sh
#
# The last line says "N passed, N failed"; the exit status is 0 only if nothing failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
source runs/setup.sh

case ${1:-} in
    "") ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) die "unknown argument $1: there is only --help" ;;
esac

setup_environment "[dev]"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0 failures=()

check() {  # name, command
    local name=$1 start=$SECONDS
    shift
    if "$@" > "$scratch/log" 2>&1; then
        passed=$((passed + 1))
        printf 'ok      %-60s %4ds\n' "$name" $((SECONDS - start))
    else
        failed=$((failed + 1)) failures+=("$name")
        printf 'FAILED  %-60s %4ds\n' "$name" $((SECONDS - start))
        tail -n 60 "$scratch/log" | sed 's/^/        /'
    fi
}

in_sync() {  # exports and cleans a copy: the checkout itself is left as it is
    cp -r . "$scratch/copy" && rm -rf "$scratch/copy/.venv" && (
        cd "$scratch/copy" && nbdev_clean && nbdev_export && cd - > /dev/null &&
        diff -r -q -x __pycache__ -x .ipynb_checkpoints nbs "$scratch/copy/nbs" &&
        diff -r -q -x __pycache__ nanochat "$scratch/copy/nanochat"
    )
}

notebooks() {  # one count for each notebook
    local log="$scratch/notebooks" all bad
    # one thread per worker: two workers fill two cores
    OMP_NUM_THREADS=1 nbdev_test --n_workers 2 --timing > "$log" 2>&1
    local status=$?
    cat "$log"
    all=$(find nbs -name '*.ipynb' -not -path '*/.*' | wc -l)
    bad=$(sed -n '/Tests Failed On/,$p' "$log" | grep -c '\.ipynb$')
    if [ $status != 0 ] && [ "$bad" = 0 ]; then bad=$all; fi  # it did not even start
    if grep -q 'No files were eligible' "$log"; then bad=$all; fi
    passed=$((passed + all - bad)) failed=$((failed + bad))
    if [ "$bad" != 0 ]; then failures+=("$bad of $all notebooks"); fi
}

run_all() {  # as Jupyter's Run All does; one count for each. Of tasks and tinyworld nbdev_test has run every cell, and they are many
    local log="$scratch/runall" all bad
    find nbs -name '*.ipynb' -not -path '*/.*' -not -path 'nbs/tests/*' -not -path 'nbs/tasks/*' -not -path 'nbs/tinyworld/*' -print0 | sort -z |
        OMP_NUM_THREADS=1 xargs -0 python runs/book.py runall --workers 2 > "$log" 2> "$scratch/runall-errors"
    grep -E '^(ok|FAILED) ' "$log" || { cat "$scratch/runall-errors"; }
    all=$(grep -cE '^(ok|FAILED) ' "$log") bad=$(grep -c '^FAILED ' "$log")
    if [ "$all" = 0 ]; then bad=1; fi
    if [ "$bad" != 0 ]; then cat "$log"; failures+=("$bad notebooks under Run All"); fi
    passed=$((passed + all - bad)) failed=$((failed + bad))
}

smoke() { NANOCHAT_BASE_DIR="$scratch" bash runs/runcpu.sh --smoke; }

again_is_quick() {  # everything is finished: nothing is trained again
    smoke && grep -q 'base_checkpoints/d2 is complete' "$scratch/log" && grep -q 'base_checkpoints/d2-mid is complete' "$scratch/log" && grep -q 'chatsft_checkpoints/d2-mid is complete' "$scratch/log" && grep -q 'chatrl_checkpoints/d2-mid is complete' "$scratch/log"
}

two_ranks() {  # both training stages, two processes with gloo
    export NANOCHAT_BASE_DIR="$scratch/smoke" OMP_NUM_THREADS=1
    torchrun --standalone --nproc_per_node=2 -m nanochat.scripts.base_train -- --device-type=cpu --depth=2 --model-tag=two \
        --max-seq-len=256 --device-batch-size=4 --total-batch-size=2048 --num-iterations=10 --eval-tokens=4096 &&
    torchrun --standalone --nproc_per_node=2 -m nanochat.scripts.chat_sft -- --device-type=cpu --model-tag=two \
        --device-batch-size=4 --num-iterations=5 --eval-batches=1 &&
    torchrun --standalone --nproc_per_node=2 -m nanochat.scripts.chat_rl -- --device-type=cpu --model-tag=two \
        --questions=3 --samples=2 --num-iterations=2 --max-tokens=8 --eval-questions=3 --eval-samples=2
}

in_miniature() {  # script, lines that it must say: the scripts for GPUs, on a CPU
    local script=$1 words
    shift
    NANOCHAT_BASE_DIR="$scratch/gpu" SETUP=0 SCALE=tiny bash "runs/$script" > "$scratch/miniature" 2>&1 || { cat "$scratch/miniature"; return 1; }
    for words in "$@"; do grep -q -- "$words" "$scratch/miniature" || { cat "$scratch/miniature"; return 1; }; done
}

few_depths() { DEPTHS=1 in_miniature miniseries.sh "depth,params,tokens" "core -\\?[0-9]"; }
on_the_cpu() { DEVICE=cpu in_miniature gpucheck.sh " 0 failed"; }

speedrun_stops() {  # Ctrl-C while it trains: 130, nothing left running; the next start goes on from a checkpoint
    NANOCHAT_BASE_DIR="$scratch/gpu" SETUP=0 SCALE=tiny python - <<'P'
import os, signal, subprocess, sys, time
from pathlib import Path
folder = Path(os.environ["NANOCHAT_BASE_DIR"], "tiny", "base_checkpoints", "d2")
# a process group of its own, as in a terminal: what a script starts with & would ignore Ctrl-C
run = subprocess.Popen(["bash", "runs/speedrun.sh"], start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
while run.poll() is None and not list(folder.glob("meta_*")): time.sleep(0.5)
os.killpg(run.pid, signal.SIGINT)
said = run.communicate(timeout=300)[0]
print(said)
left = subprocess.run(["pgrep", "-f", f"{folder.parent.parent}/hub_here"], capture_output=True, text=True).stdout
sys.exit(not (run.returncode == 130 and "the same command goes on from there" in said and not left))
P
}

browser() {  # the page is tested in Chromium: installed where that is possible without asking anybody
    command -v chromium chromium-browser google-chrome > /dev/null && return
    [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null && apt-get update -qq && apt-get install -y -qq chromium
} > /dev/null 2>&1

refuses() {  # words that the message must hold, command: one line, exit status 1
    local words=$1 status=0
    shift
    "$@" > "$scratch/refusal" 2>&1 || status=$?
    cat "$scratch/refusal"
    [ $status != 0 ] && grep -q -- "$words" "$scratch/refusal" && ! grep -q Traceback "$scratch/refusal"
}

start_all=$SECONDS
browser || skipped="SKIPPED: there is no Chromium here and it could not be installed: the chat page was NOT tested in a browser"
check "notebooks and library are in sync and clean" in_sync
check "one style in library, notebooks and scripts" ruff check --quiet --config runs/ruff.toml nanochat nbs runs
check "house rules" python runs/house.py
check "README.md is what nbs/index.ipynb says" python runs/book.py readme --check
notebooks
run_all
check "smoke run: data to chat evaluation" smoke
check "a second smoke run finds its work done" again_is_quick
check "both trainings on two ranks" two_ranks
check "speedrun in miniature, stopped while it trains" speedrun_stops
check "speedrun in miniature, to the end" in_miniature speedrun.sh "going on from step" "To chat:"
check "miniseries in miniature" few_depths
check "scaling laws in miniature" in_miniature scaling_laws.sh "depth,params,tokens" "scaling_laws.csv: depth 2"
check "gpucheck on a CPU" on_the_cpu
export NANOCHAT_BASE_DIR="$scratch/smoke"
check "text that models depend on is not replaced" refuses "--overwrite" python -m nanochat.dataset --source=tinyworld --chars=1000
check "other flags for a finished run" refuses "--resume=never" python -m nanochat.scripts.base_train --device-type=cpu --depth=2
check "an empty question" refuses "--prompt is empty" python -m nanochat.scripts.chat_cli --prompt=" "
export NANOCHAT_BASE_DIR="$scratch/empty"
check "no tokenizer: says what to run" refuses "nanochat.scripts.tok_train" python -m nanochat.scripts.base_train --device-type=cpu
check "no base model: says what to run" refuses "nanochat.scripts.base_train" python -m nanochat.scripts.chat_sft --device-type=cpu
check "no chat model: says what to run" refuses "nanochat.scripts.chat_sft" python -m nanochat.scripts.chat_cli --device-type=cpu
check "no chat model to serve: says what to run" refuses "nanochat.scripts.chat_sft" python -m nanochat.scripts.chat_web --device-type=cpu
check "a model to chat with in seconds" env NANOCHAT_BASE_DIR="$scratch/tiny" python -m nanochat.scripts.tiny_chat --steps=2
check "how fast it writes" python -m nanochat.scripts.infer_bench --depth=2 --vocab-size=1024 --rows=1,4 --new-tokens=8 --device-type=cpu
check "how fast it trains" python -m nanochat.scripts.train_bench --depth=2 --vocab-size=1024 --seq-len=128 --rows=2 --steps=2 --device-type=cpu
check "unknown flag" refuses "there is no flag --no-such-flag" python -m nanochat.scripts.base_train --no-such-flag=1
check "library imports without the dev extra's packages" python -c "
import sys
for name in ('nbdev', 'fastcore', 'matplotlib', 'ipywidgets', 'jupyterlab', 'gradio', 'wandb', 'hypothesis'): sys.modules[name] = None
import importlib, pkgutil, nanochat
for m in pkgutil.walk_packages(nanochat.__path__, 'nanochat.'): importlib.import_module(m.name)"
python - <<'P'
import subprocess, sys, time
def seconds(module):
    times = []
    for _ in range(3):
        start = time.perf_counter(); subprocess.run([sys.executable, "-c", f"import {module}"], check=True); times.append(time.perf_counter() - start)
    return sorted(times)[1]
a, b = seconds("torch"), seconds("nanochat.engine")
print(f"import torch {a:.2f} s, import nanochat.engine {b:.2f} s: {b - a:+.2f} s")
P
say "" "checked in $((SECONDS - start_all)) s" ${skipped:+"$skipped"}
for name in "${failures[@]+"${failures[@]}"}"; do say "failed: $name"; done
say "$passed passed, $failed failed"
[ $failed = 0 ]
