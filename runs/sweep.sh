# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # read and set by the scripts that source this
# Sourced by the scripts that train many models: one run after the other, a row in a table for each.

read_sweep() {  # how tags begin: checks what both sweeps are told
    local value depth
    SEEDS=${SEEDS:-42}
    if [ "$SCALE" = tiny ]; then
        FP8=${FP8:-0} SHARDS=${SHARDS:-1}
        vocab=512
        base=(--max-seq-len=128 --device-batch-size=4 --total-batch-size=1024 --eval-tokens=2048)
        [ "$run" = scaling_laws ] || base+=(--num-iterations=4)
        base_eval=(--eval-tokens=2048 --device-batch-size=4 --max-per-task=4)
    else
        FP8=${FP8:-1} SHARDS=${SHARDS:-100}
        vocab=32768
        base=(--eval-tokens=8388608)
        base_eval=(--eval-tokens=8388608 --device-batch-size=16)
    fi
    switch FP8
    whole SHARDS 1 6542
    room=($((SHARDS / 10)) 100)  # gigabytes of text and of checkpoints, then the models' tags
    if [ "$SCALE" = tiny ]; then room=(0 1); fi
    for value in $DEPTHS; do
        [[ $value =~ ^[1-9][0-9]{0,2}$ ]] || die "DEPTHS=$DEPTHS: must be numbers of layers, such as \"12 14 16\""
    done
    for value in $SEEDS; do
        [[ $value =~ ^[0-9]{1,9}$ ]] || die "SEEDS=$SEEDS: must be whole numbers, such as \"42 43\""
        for depth in $DEPTHS; do room+=("$1-*d$depth-s$value"); done
    done
    if [ -z "${DEPTHS// /}" ] || [ -z "${SEEDS// /}" ]; then die "DEPTHS and SEEDS must each name at least one"; fi
    # evaluated once, at the end; few checkpoints: there will be many models
    base+=(--source=climbmix --eval-every=-1 --save-every=1000 --keep=1 --run="$WANDB_RUN")
    [ "$FP8" = 0 ] || base+=(--fp8)
}

prepare_sweep() {  # text and tokenizer
    table="$report/$run.csv"
    core=()
    if [ "$DRY" = 1 ]; then
        say "what this machine lacks:"
        check_machine "${room[@]}" 2>&1 || true
        say "" "commands:"
    else
        check_machine "${room[@]}"
    fi
    if [ "$SCALE" = tiny ]; then
        loopback_hub
        core=(--core-dir="$core_dir")
    fi
    if first_node; then
        stage "text" python -m nanochat.scripts.dataset -n "$SHARDS"
        stage "tokenizer" python -m nanochat.scripts.tok_train --source=climbmix --vocab-size="$vocab"
    fi
}

train_one() {  # the flags that say how large and how long; sets nothing, uses tag and seed
    if [ "$DRY" = 1 ] && [ "$SCALE" = full ]; then
        python -m nanochat.scripts.base_train --fit="$((NPROC * NNODES))x$GPU" --gpu-dollars="$DOLLARS" "${device[@]}" "$@" "${base[@]}" |
            sed -n 's/^\(horizon\|time\) /# \1 /p' || true
    fi
    all_gpus base_train "$@" --seed="$seed" --model-tag="$tag" "${base[@]}"
    stage "$tag" "${command[@]}"
}

keep_row() {  # arguments of add_row.py besides table, tag and seed
    if first_node; then stage "row of $tag" python runs/add_row.py "$table" "$tag" --seed="$seed" "$@"; fi
}

show_sweep() {
    local picture="${table%.csv}.png"
    if ! first_node; then return; fi
    if [ "$run" = scaling_laws ] && python -c 'import matplotlib, nanochat.scaling_laws' 2> /dev/null; then
        stage "picture" python -c 'import sys; from nanochat.scaling_laws import plot_isoflop; plot_isoflop(sys.argv[1]).savefig(sys.argv[2])' \
            "$table" "$picture"
    fi
    if [ "$DRY" = 0 ]; then say "" "the table: $table" && cat "$table"; fi
}
