#!/usr/bin/env bash
# What one GPU makes of this project, unattended, in under ten minutes: are all ways to compute the same thing equal, how
# fast is it, and how does that compare with what the device's own arithmetic and memory promise.
#
#   bash runs/gpucheck.sh                              on one NVIDIA GPU
#   DEVICE=cpu SCALE=tiny bash runs/gpucheck.sh        the parts that need none, in miniature
#
#   MINUTES=9          what does not fit is skipped     OUT=FILE.json      where the results go
#   CORE_DIR=FOLDER    a bundle of CORE's questions     SETUP=0            use the Python that is active
#
# The exit status is 1 if a check failed. Results on a GPU are worth keeping: nbs/results/gpucheck_NAME.json
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source runs/setup.sh
source runs/node.sh

no_arguments "$@"
run=gpucheck
DEVICE=${DEVICE:-cuda} MINUTES=${MINUTES:-9} CORE_DIR=${CORE_DIR:-}
case $DEVICE in cuda | cpu) ;; *) die "DEVICE=$DEVICE: must be cuda or cpu" ;; esac
number MINUTES
[ -z "$CORE_DIR" ] || [ -e "$CORE_DIR/core.yaml" ] || die "CORE_DIR=$CORE_DIR: there is no core.yaml in it"
[ "$DEVICE" = cuda ] || [ "${SCALE:-full}" = tiny ] || die "DEVICE=cpu goes with SCALE=tiny: the rest would take a CPU hours"
NPROC=1
read_settings
[ "$DEVICE" = cpu ] || [ "$SCALE" = full ] || die "SCALE=tiny goes with DEVICE=cpu"
prepare_machine
OUT=${OUT:-$report/gpucheck.json}
if [ "$SCALE" = tiny ] && [ -z "$CORE_DIR" ]; then
    loopback_hub
    CORE_DIR=$core_dir
fi
stage "checks" python runs/gpucheck.py --device="$DEVICE" --scale="$SCALE" --minutes="$MINUTES" --core-dir="$CORE_DIR" --out="$OUT"
