#!/usr/bin/env bash
# A script of this folder on several nodes of a Slurm cluster.
#
#   sbatch --nodes=2 runs/slurm.sh                           speedrun.sh on 2 nodes
#   sbatch --nodes=2 runs/slurm.sh runs/miniseries.sh        another one
#   DRY=1 sbatch --nodes=2 runs/slurm.sh                     what it would do
#
# Start it in the checkout, which all nodes must see, and so must NANOCHAT_BASE_DIR. Give your cluster's own options to
# sbatch (--partition, --account, --gres). Two minutes before its time is over the job is asked to save and stops;
# submitted again, it goes on.
#SBATCH --job-name=nanochat
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --exclusive
#SBATCH --time=08:00:00
#SBATCH --signal=TERM@120
#SBATCH --output=nanochat-%j.log
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:-$(dirname "${BASH_SOURCE[0]}")/..}"  # Slurm runs a copy of this file, elsewhere
[ -e runs/setup.sh ] || { echo "error: start this in the checkout: cd there, then sbatch runs/slurm.sh" >&2; exit 1; }
source runs/setup.sh

case ${1:-} in
    -h | --help) sed -n '2,/^#SBATCH/{/^#SBATCH/!s/^# \{0,1\}//p;}' runs/slurm.sh; exit 0 ;;
    "" | runs/*.sh) script=${1:-runs/speedrun.sh} ;;
    *) die "unknown argument $1: name a script of runs/, such as runs/speedrun.sh" ;;
esac
[ -e "$script" ] || die "there is no $script: name a script of runs/, such as runs/speedrun.sh"
[ -n "${SLURM_JOB_NODELIST:-}" ] || die "this is no Slurm job: sbatch --nodes=2 runs/slurm.sh; on one machine bash $script"

NNODES=${SLURM_JOB_NUM_NODES:-1}
hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
MASTER_ADDR=${hosts%%$'\n'*}
MASTER_PORT=${MASTER_PORT:-$((20000 + ${SLURM_JOB_ID:-0} % 20000))}  # two jobs on one node do not meet
NANOCHAT_BASE_DIR=$(base_dir) || exit 1
export NNODES MASTER_ADDR MASTER_PORT NANOCHAT_BASE_DIR
if [ "${SETUP:-1}" = 1 ] && [ "${DRY:-0}" = 0 ]; then setup_environment "[node]"; fi  # once, not on every node at the same time
# shellcheck disable=SC2016  # each node expands its own number
srun --ntasks="$NNODES" --ntasks-per-node=1 --kill-on-bad-exit=1 \
    bash -c 'NODE_RANK=$SLURM_NODEID exec bash "$0"' "$script"
