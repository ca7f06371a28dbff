# Sourced by the run scripts: makes .venv in the checkout and installs the project into it.
#   setup_environment ""       what a run needs
#   setup_environment "[dev]"  what working on the notebooks needs

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3.10 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "no Python 3.10 to 3.13 found: install one, or name it with PYTHON=/path/to/python"
}

setup_environment() {
    local extras=$1 python stamp
    # 64-bit hash of what was asked for: the environment is made anew when settings.ini changes, else left alone
    stamp=".venv/.installed${extras//[^a-z]/}-$(cksum settings.ini setup.py | cksum | cut -d' ' -f1)"
    if [ ! -e "$stamp" ]; then
        if [ ! -x .venv/bin/python ]; then
            python=$(find_python)
            say "making .venv with $("$python" --version)"
            "$python" -m venv .venv || die "could not make .venv (on Debian and Ubuntu: apt install python3-venv)"
        fi
        say "installing into .venv (some minutes the first time)"
        .venv/bin/python -m pip install -qq --upgrade pip setuptools wheel
        if ! command -v nvidia-smi >/dev/null 2>&1; then
            # pinned: an open range may pull gigabytes of CUDA libraries that this machine cannot use
            .venv/bin/python -c 'import torch' 2>/dev/null || .venv/bin/python -m pip install -qq torch==2.13.0
        fi
        .venv/bin/python -m pip install -qq -e ".$extras" || die "the installation failed, see above"
        touch "$stamp"
    fi
    PATH="$PWD/.venv/bin:$PATH"
    export PATH PYTHONUNBUFFERED=1
}
