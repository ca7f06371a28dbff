#!/usr/bin/env bash
# One model after the other, each deeper than the last: what a turn of the dial buys.
#
#   bash runs/miniseries.sh             d12 to d20 at the ratio of the speedrun; a row each in report/miniseries.csv
#   DRY=1, SCALE=tiny                   as in speedrun.sh
#
#   DEPTHS="12 14 16 18 20" RATIO=8 FP8=1 SEEDS=42      what is trained; several seeds show the noise
#   SHARDS=100                          of text, 100 MB each
#   NPROC, NNODES, NODE_RANK, MASTER_ADDR, MASTER_PORT, WANDB_RUN, GPU, SETUP: see runs/node.sh
#
# Interrupted and started again, it goes on where it stopped: finished models are not trained again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source runs/setup.sh
source runs/node.sh
source runs/sweep.sh

no_arguments "$@"
read_settings
run=miniseries
if [ "$SCALE" = tiny ]; then
    DEPTHS=${DEPTHS:-1 2} RATIO=${RATIO:-4}
else
    DEPTHS=${DEPTHS:-12 14 16 18 20} RATIO=${RATIO:-8}
fi
number RATIO
read_sweep mini
prepare_machine
prepare_sweep
for depth in $DEPTHS; do
    for seed in $SEEDS; do
        tag=mini-d$depth-s$seed
        train_one --depth="$depth" --target-param-data-ratio="$RATIO"
        all_gpus base_eval --model-tag="$tag" --eval=core,bpb "${base_eval[@]}" ${core[@]+"${core[@]}"}
        once "evaluation of $tag" "$NANOCHAT_BASE_DIR/base_checkpoints/$tag/COMPLETE.json" "${command[@]}"
        # shellcheck disable=SC2119  # it takes no more here
        keep_row
    done
done
show_sweep
