# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # read and set by the scripts that source this
# Sourced by the scripts for machines with GPUs: their variables, launching on every GPU of every node, and stages of
# which none is done twice.
#
# What all of them understand:
#   DRY=1          print the commands and what is missing here; do nothing
#   SCALE=tiny     the same script in miniature on a CPU: two ranks, made-up text from a hub on this machine
#   NPROC=8        GPUs of this node (default: all that there are)
#   NNODES=2 NODE_RANK=0 MASTER_ADDR=node0 MASTER_PORT=29500     several nodes: the same command on each, with its own
#                  NODE_RANK, and a NANOCHAT_BASE_DIR that all of them see (runs/slurm.sh does this)
#   WANDB_RUN=x    log to wandb under this name        SETUP=0        use the Python that is active, install nothing
#   DOLLARS=3      what a GPU costs per hour           GPU=H100       what DRY=1 computes with where there is no GPU

whole() {  # variable, least, most: a whole number
    local value=${!1}
    { [[ $value =~ ^[0-9]{1,9}$ ]] && [ "$value" -ge "$2" ] && [ "$value" -le "$3" ]; } ||
        die "$1=$value: must be a whole number from $2 to $3"
}

number() {  # variable: a number above zero
    [[ ${!1} =~ ^[0-9]{0,9}\.?[0-9]{1,9}$ && ${!1} =~ [1-9] ]] || die "$1=${!1}: must be a number above 0"
}

switch() { case ${!1} in 0 | 1) ;; *) die "$1=${!1}: must be 0 or 1" ;; esac; }  # variable

no_arguments() {  # "$@" of a script: it takes none but --help, which prints the comment at its top
    case ${1:-} in
        "") ;;
        -h | --help) sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p;}' "$0"; exit 0 ;;
        *) die "unknown argument $1: this script takes variables, such as DRY=1 bash $0 (--help names them)" ;;
    esac
}

read_settings() {  # checks the variables before anything is installed or downloaded
    DRY=${DRY:-0} SCALE=${SCALE:-full} SETUP=${SETUP:-1} NNODES=${NNODES:-1} NODE_RANK=${NODE_RANK:-0}
    MASTER_ADDR=${MASTER_ADDR:-} MASTER_PORT=${MASTER_PORT:-29500} WANDB_RUN=${WANDB_RUN:-dummy} DOLLARS=${DOLLARS:-3}
    NPROC=${NPROC:-auto}
    switch DRY
    switch SETUP
    case $SCALE in full | tiny) ;; *) die "SCALE=$SCALE: must be full or tiny" ;; esac
    whole NNODES 1 1024
    whole NODE_RANK 0 $((NNODES - 1))
    whole MASTER_PORT 1 65535
    number DOLLARS
    [ "$NPROC" = auto ] || whole NPROC 1 64
    [[ $WANDB_RUN =~ ^[A-Za-z0-9._-]+$ ]] || die "WANDB_RUN=$WANDB_RUN: must be made of letters, digits, . _ and -"
    if [ "$NNODES" -gt 1 ]; then
        [ -n "$MASTER_ADDR" ] || die "NNODES=$NNODES needs MASTER_ADDR, the name or address of the node with NODE_RANK=0"
        [ -n "${NANOCHAT_BASE_DIR:-}" ] ||
            die "NNODES=$NNODES needs NANOCHAT_BASE_DIR, a folder that every node sees under this name"
    fi
    NANOCHAT_BASE_DIR=$(base_dir) || exit 1
    export NANOCHAT_BASE_DIR OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
    # seconds that torchrun leaves a stage to save and stop: its own 30 are too few for a large checkpoint
    export TORCH_ELASTIC_SHUTDOWN_TIMEOUT=${TORCH_ELASTIC_SHUTDOWN_TIMEOUT:-110}
}

prepare_machine() {  # what is installed, which GPUs there are, where things go
    [ "$SETUP" = 0 ] || setup_environment "$([ "$SCALE" = tiny ] || echo "[node]")"
    python -c 'import nanochat' 2> /dev/null ||
        die "SETUP=$SETUP: the Python here ($(command -v python || echo none)) cannot import nanochat: activate the right one"
    if [ "$SCALE" = tiny ]; then
        device=(--device-type=cpu)
        [ "$NPROC" != auto ] || NPROC=2
        NANOCHAT_BASE_DIR="$NANOCHAT_BASE_DIR/tiny"
        export HF_HUB_DISABLE_XET=1
    else
        device=(--device-type=cuda)
        found=$(python -c 'import torch; print(torch.cuda.device_count())')
        [ "$NPROC" != auto ] || NPROC=$found
        if [ "$DRY" = 0 ] && [ "$found" = 0 ]; then
            die "there is no GPU here that torch can use: DRY=1 says what would run and what is missing, SCALE=tiny rehearses" \
                "it on the CPU"
        elif [ "$DRY" = 0 ] && [ "$found" -lt "$NPROC" ]; then
            die "NPROC=$NPROC: torch sees $found GPUs here"
        elif [ "$NPROC" = 0 ]; then
            NPROC=8  # DRY=1 computes for the machine that this is written for
        fi
        GPU=${GPU:-$(python -c 'import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else "H100")')}
    fi
    if [ "$NNODES" = 1 ]; then
        rendezvous=(--standalone)
    else  # the first stages run on the first node alone: the others wait for it up to six hours
        rendezvous=(--nnodes="$NNODES" --node_rank="$NODE_RANK" --master_addr="$MASTER_ADDR" --master_port="$MASTER_PORT"
            --rdzv_conf=timeout=21600)
    fi
    report="$NANOCHAT_BASE_DIR/report"
    marks="$report/done"
    if [ "$DRY" = 1 ]; then return; fi
    mkdir -p "$marks" 2> /dev/null && [ -w "$marks" ] ||
        die "cannot write to $NANOCHAT_BASE_DIR: set NANOCHAT_BASE_DIR to a folder that you can write to"
}

# Ctrl-C reaches a stage too, which saves and stops. What runs in the background is ended here.
interrupted=0 background=()
trap 'interrupted=130' INT
trap 'interrupted=143' TERM
trap 'finish' EXIT

finish() {
    local status=$? pid
    for pid in ${background[@]+"${background[@]}"}; do
        if kill "$pid" 2> /dev/null; then wait "$pid" 2> /dev/null || true; fi
    done
    if [ $interrupted != 0 ]; then
        say "" "stopped: the same command goes on from there" >&2
        exit $interrupted
    fi
    exit $status
}

show() { printf '%q ' "$@" | sed 's/ $//; s/\\=/=/g; s/\\,/,/g'; echo; }  # a command, as one could type it

stage() {  # name, command: it finds by itself what it has done before
    local name=$1 start=$SECONDS status=0
    shift
    if [ "$DRY" = 1 ]; then show "$@"; return; fi
    say "" "== $name"
    "$@" || status=$?
    printf '%s\t%s\n' "$name" $((SECONDS - start)) >> "$report/${run}_times.tsv" || true
    if [ $status = 129 ] || [ $status = 130 ] || [ $status = 143 ]; then interrupted=$status; fi
    if [ $interrupted != 0 ]; then
        exit $interrupted
    elif [ $status != 0 ]; then
        die "the stage '$name' failed with exit status $status; the same command tries it again"
    fi
}

once() {  # name, marker of what it depends on, command: left out while it has succeeded since
    local name=$1 after=$2 mark="$marks/$1" words
    shift 2
    words="$*"
    words=${words/"${rendezvous[*]} "/}  # where nodes meet differs between them, and from job to job
    if [ "$DRY" = 0 ] && [ -e "$mark" ] && ! [ "$after" -nt "$mark" ] && [ "$(cat "$mark")" = "$words" ]; then
        say "" "== $name: done before"
        return
    fi
    stage "$name" "$@"
    if [ "$DRY" = 0 ] && first_node; then printf '%s\n' "$words" > "$mark"; fi
}

first_node() { [ "$NODE_RANK" = 0 ]; }  # work for one process is done there

all_gpus() {  # module, its arguments: prints nothing, sets `command`: one process per GPU, on every node
    local module=$1
    shift
    command=(torchrun "${rendezvous[@]}" --nproc_per_node="$NPROC" -m "nanochat.scripts.$module" -- "${device[@]}" "$@")
}

loopback_hub() {  # a hub on this machine, for SCALE=tiny; HF_ENDPOINT leads every stage to it
    local folder="$NANOCHAT_BASE_DIR/hub_here"
    core_dir="$folder/core"
    if [ "$DRY" = 1 ]; then
        say "python runs/loopback_hub.py $(show "$folder") &" "export HF_ENDPOINT=\$(cat $(show "$folder/address"))"
        return
    fi
    mkdir -p "$folder"
    rm -f "$folder/address"
    python runs/loopback_hub.py "$folder" &
    background+=($!)
    until [ -e "$folder/address" ]; do
        kill -0 "${background[${#background[@]} - 1]}" 2> /dev/null || die "the hub on this machine did not start, see above"
        if [ $interrupted != 0 ]; then exit $interrupted; fi
        sleep 0.2
    done
    HF_ENDPOINT=$(cat "$folder/address")
    export HF_ENDPOINT
}

start_download() {  # training shards: the rest of the text comes while something else is done
    local get=(python -m nanochat.scripts.dataset -n "$1") last
    last=$(printf 'shard_%05d' $(($1 - 1)))
    if [ "$DRY" = 1 ]; then say "$(show "${get[@]}") &"; return; fi
    say "" "== the rest of the text comes in the background ($report/download.log)"
    "${get[@]}" > "$report/download.log" 2>&1 &
    download=$!
    background+=("$download")
    # what is read meanwhile must not depend on which of the two is faster: first all shards are on the list
    until grep -qs "$last" "$NANOCHAT_BASE_DIR/base_data_climbmix/wanted.json"; do
        if ! kill -0 "$download" 2> /dev/null; then await_download; return; fi
        if [ $interrupted != 0 ]; then exit $interrupted; fi
        sleep 0.2
    done
}

await_download() {
    local status=0
    if [ "$DRY" = 1 ]; then say wait; return; fi
    say "" "== waiting for the rest of the text"
    wait "$download" || status=$?
    if [ $interrupted != 0 ]; then exit $interrupted; fi
    if [ $status != 0 ]; then
        tail -n 3 "$report/download.log" >&2
        die "the download in the background failed (see $report/download.log); the same command goes on from there"
    fi
}

check_machine() {  # gigabytes of text, of checkpoints, their tags: what this machine lacks; without DRY that can end the run
    local need=(--text="$1" --checkpoints="$2" --wandb="$WANDB_RUN")
    [ "$SCALE" = tiny ] || need+=(--gpus="$NPROC")
    [ "${FP8:-0}" = 0 ] || need+=(--fp8)
    python runs/missing.py "${need[@]}" --tags "${@:3}" || [ "$DRY" = 1 ] || exit 1
}
