# shellcheck shell=bash disable=SC2088
# Sourced by the run scripts: makes .venv in the checkout and installs the project into it.
#   setup_environment ""       what a run needs
#   setup_environment "[dev]"  what working on the notebooks needs

say() { printf '%s\n' "$@"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

SUPPORTED='import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))'

find_python() {  # prints the command of a Python that will do
    local candidate
    if [ -n "${PYTHON:-}" ]; then  # asked for: this one or none
        "$PYTHON" -c 'pass' 2>/dev/null || die "PYTHON=$PYTHON is no Python: unset it, or give the path of one"
        "$PYTHON" -c "$SUPPORTED" || die "PYTHON=$PYTHON is $("$PYTHON" --version), 3.10 to 3.13 are needed: give another, or unset it"
        command -v "$PYTHON"
        return
    fi
    for candidate in python3.13 python3.12 python3.11 python3.10 python3 python; do
        if "$candidate" -c "$SUPPORTED" 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "no Python 3.10 to 3.13 found: install one, or name it with PYTHON=/path/to/python"
}

install() { .venv/bin/python -m pip install -qq "$@"; }

install_torch() {  # the build without CUDA, which weighs a tenth
    local version=2.13.0
    .venv/bin/python -c 'import torch' 2>/dev/null && return
    command -v nvidia-smi >/dev/null 2>&1 && return  # the ordinary build comes with the project
    if [ "$(uname -s)" = Linux ]; then
        install "torch==$version+cpu" 2>/dev/null && return
        say "trying PyTorch's own index for the build without CUDA"
        install --timeout 15 --retries 1 "torch==$version" --index-url https://download.pytorch.org/whl/cpu 2>/dev/null && return
        say "it cannot be had here: the ordinary build brings CUDA libraries along, some gigabytes that this machine will not use"
    fi
    install "torch==$version" || die "torch could not be installed, see above"
}

setup_environment() {
    local extras=$1 python stamp
    # what was asked for: the environment is made anew when settings.ini changes, else left alone
    stamp=".venv/.installed${extras//[^a-z]/}-$(cksum settings.ini setup.py | cksum | cut -d' ' -f1)"
    if [ ! -e "$stamp" ]; then
        if [ ! -x .venv/bin/python ]; then
            python=$(find_python) || exit 1
            say "making .venv with $("$python" --version)"
            "$python" -m venv .venv || die "could not make .venv (on Debian and Ubuntu: apt install python3-venv)"
        fi
        say "installing into .venv (some minutes the first time)"
        install --upgrade pip setuptools wheel || die "the installation failed, see above"
        install_torch
        install -e ".$extras" || die "the installation failed, see above"
        touch "$stamp"
    fi
    PATH="$PWD/.venv/bin:$PATH"
    export PATH PYTHONUNBUFFERED=1
}

base_dir() {  # prints the absolute path of the base directory; a relative one counts from the checkout, as in the library
    local wish=${NANOCHAT_BASE_DIR:-}
    if [ -z "$wish" ]; then
        [ -n "${HOME:-}" ] || die "there is no home directory: set NANOCHAT_BASE_DIR to a folder that you can write to"
        wish="$HOME/.cache/nanochat"
    fi
    case $wish in
        "~") wish=$HOME ;;
        "~/"*) wish="$HOME/${wish#"~/"}" ;;
        /*) ;;
        *) wish="$PWD/$wish" ;;
    esac
    printf '%s\n' "$wish"
}
