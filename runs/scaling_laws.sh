#!/usr/bin/env bash
# Which size is best for how much arithmetic: every budget is spent at every depth.
#
#   bash runs/scaling_laws.sh           four budgets at six depths; a row each in report/scaling_laws.csv
#   DRY=1, SCALE=tiny                   as in speedrun.sh
#
#   BUDGETS="1e18 2e18 5e18 1e19" DEPTHS="8 10 12 14 16 18" FP8=1 SEEDS=42      what is trained; budgets in FLOP
#   SHARDS=100                          of text, 100 MB each
#   NPROC, NNODES, NODE_RANK, MASTER_ADDR, MASTER_PORT, WANDB_RUN, GPU, SETUP: see runs/node.sh
#
# Interrupted and started again, it goes on where it stopped. At the end the table is drawn (report/scaling_laws.png).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source runs/setup.sh
source runs/node.sh
source runs/sweep.sh

no_arguments "$@"
read_settings
run=scaling_laws
if [ "$SCALE" = tiny ]; then
    DEPTHS=${DEPTHS:-1 2} BUDGETS=${BUDGETS:-1.5e10}
else
    DEPTHS=${DEPTHS:-8 10 12 14 16 18} BUDGETS=${BUDGETS:-1e18 2e18 5e18 1e19}
fi
for budget in $BUDGETS; do
    [[ $budget =~ ^[1-9](\.[0-9]{1,3})?e[0-9]{1,2}$ ]] || die "BUDGETS=$BUDGETS: must be floating-point operations, such as 1e18 5e18"
done
read_sweep scaling
prepare_machine
prepare_sweep
for budget in $BUDGETS; do
    for depth in $DEPTHS; do
        for seed in $SEEDS; do
            tag=scaling-$budget-d$depth-s$seed
            train_one --depth="$depth" --target-flops="$budget"
            keep_row --flops="$budget"
        done
    done
done
show_sweep
