#!/usr/bin/env bash
# From nothing to a chat model of GPT-2's grade on a node of 8 H100s: text, tokenizer, pretraining, CORE, fine-tuning,
# evaluation, report.
#
#   bash runs/speedrun.sh               the real thing
#   DRY=1 bash runs/speedrun.sh         only prints the plan, the commands, hours and dollars, and what is missing here
#   SCALE=tiny bash runs/speedrun.sh    this very script in miniature: two ranks on a CPU, a hub on this machine
#
#   DEPTH=24 RATIO=8 FP8=1              the model, its tokens per parameter, 8-bit matrices
#   SHARDS=170                          of text, 100 MB each; FIRST=8 of them come before the tokenizer is trained
#   RL=1                                reinforcement learning on GSM8K after fine-tuning
#   NPROC, NNODES, NODE_RANK, MASTER_ADDR, MASTER_PORT, WANDB_RUN, DOLLARS, GPU, SETUP: see runs/node.sh
#
# Interrupted and started again, it goes on where it stopped. Everything it makes lies under $NANOCHAT_BASE_DIR
# (default ~/.cache/nanochat; the miniature uses a folder "tiny" inside it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source runs/setup.sh
source runs/node.sh

no_arguments "$@"
read_settings
run=speedrun
if [ "$SCALE" = tiny ]; then
    DEPTH=${DEPTH:-2} RATIO=${RATIO:-4} FP8=${FP8:-0} SHARDS=${SHARDS:-3} FIRST=${FIRST:-1}
    vocab=512
    base=(--max-seq-len=128 --device-batch-size=4 --total-batch-size=1024 --num-iterations="${ITERATIONS:-24}" --save-every=4
        --eval-every=-1 --eval-tokens=2048)
    base_eval=(--eval-tokens=2048 --device-batch-size=4 --max-new-tokens=8)
    sft=(--num-iterations=6 --device-batch-size=4 --eval-batches=1 --save-every=2)
    rl=(--questions=4 --samples=2 --num-iterations=2 --max-tokens=16 --eval-questions=4 --eval-samples=2 --device-batch-size=4)
    chat_eval=(--max-problems=4 --max-tokens=8)
else
    DEPTH=${DEPTH:-24} RATIO=${RATIO:-8} FP8=${FP8:-1} SHARDS=${SHARDS:-170} FIRST=${FIRST:-8}
    vocab=32768
    base=(--eval-every=500 --eval-tokens=8388608)
    base_eval=(--eval-tokens=8388608 --device-batch-size=16)
    sft=() rl=() chat_eval=()
fi
RL=${RL:-0}
whole DEPTH 1 1000
whole SHARDS 1 6542
whole FIRST 1 "$SHARDS"
number RATIO
switch FP8
switch RL
prepare_machine

tag=d$DEPTH
room=($((SHARDS / 10)) $((1 + DEPTH * DEPTH / 8)) "$tag")  # gigabytes of text and of checkpoints
finished() { echo "$NANOCHAT_BASE_DIR/$1_checkpoints/$tag/COMPLETE.json"; }  # written last by a training stage
base=(--depth="$DEPTH" --target-param-data-ratio="$RATIO" --source=climbmix --run="$WANDB_RUN" "${base[@]}")
[ "$FP8" = 0 ] || base+=(--fp8)

if [ "$DRY" = 1 ]; then
    say "plan of the pretraining:"
    machine=$((NPROC * NNODES))x${GPU:-}
    [ "$SCALE" = full ] || machine=1
    python -m nanochat.scripts.base_train --fit="$machine" --gpu-dollars="$DOLLARS" "${device[@]}" "${base[@]}" || say "(no forecast for $machine)"
    [ "$SCALE" = tiny ] || say "published  a run of this kind (d24, ratio 8, fp8, 8xH100): 1.65 h, 0.718 bits per byte, CORE 0.2626"
    say "" "what this machine lacks:"
    check_machine "${room[@]}" 2>&1 || true
    say "" "commands:"
else
    check_machine "${room[@]}"
fi
core=()
if [ "$SCALE" = tiny ]; then
    loopback_hub
    core=(--core-dir="$core_dir")
fi

if first_node; then
    stage "the first text" python -m nanochat.scripts.dataset -n "$FIRST"
    start_download "$SHARDS"
    stage "tokenizer" python -m nanochat.scripts.tok_train --source=climbmix --vocab-size="$vocab"
    await_download
fi
all_gpus base_train "${base[@]}"
stage "pretraining" "${command[@]}"
all_gpus base_eval --model-tag="$tag" --eval=core,bpb,sample "${base_eval[@]}" ${core[@]+"${core[@]}"}
once "evaluation of the base model" "$(finished base)" "${command[@]}"
all_gpus chat_sft --model-tag="$tag" --mixture=smoltalk --run="$WANDB_RUN" ${sft[@]+"${sft[@]}"}
stage "fine-tuning" "${command[@]}"
all_gpus chat_eval --stage=sft --model-tag="$tag" --tasks=ARC-Easy,ARC-Challenge,MMLU,GSM8K,HumanEval,SpellingBee \
    --source=hub --execute --compare=0 ${chat_eval[@]+"${chat_eval[@]}"}
once "evaluation of the chat model" "$(finished chatsft)" "${command[@]}"
if [ "$RL" = 1 ]; then
    all_gpus chat_rl --model-tag="$tag" --task=gsm8k --run="$WANDB_RUN" ${rl[@]+"${rl[@]}"}
    stage "reinforcement learning" "${command[@]}"
    all_gpus chat_eval --stage=rl --model-tag="$tag" --tasks=GSM8K --source=hub --compare=0 ${chat_eval[@]+"${chat_eval[@]}"}
    once "evaluation after reinforcement learning" "$(finished chatrl)" "${command[@]}"
fi
if first_node; then
    stage "report" python -m nanochat.scripts.report --model-tag="$tag" \
        --dollars-per-hour="$(python -c "print($DOLLARS * $NPROC * $NNODES)")"
    if [ "$DRY" = 0 ]; then
        say "" "To chat:" "  NANOCHAT_BASE_DIR=$(printf %q "$NANOCHAT_BASE_DIR") python -m nanochat.scripts.chat_web"
    fi
fi
