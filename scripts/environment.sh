# shellcheck shell=bash
# Makes and keeps .venv, the checkout's own virtual environment, and others beside it. Sourced by scripts/run and
# scripts/test.
#
#   ensure_environment [EXTRA]   installs hebbevo (editable, with EXTRA) unless .venv already holds it as it stands now
#   $root, $venv                 the checkout and its environment, absolute
#   use_python VERSION           lets $venv be .venv-VERSION, of another Python, for what follows
#   use_mujoco VERSION           makes .venv-mujoco-VERSION of the packages of $venv and another MuJoCo, and uses it
#
# PYTHON=... chooses the interpreter. `stamp`, written last, says what is installed; `installing`, there while pip runs,
# says that a killed installation left rubbish, and the environment is then made anew.

me=${0##*/}
root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)

use_environment() {
    venv=$root/$1
    stamp=$venv/.hebbevo-stamp
    installing=$venv/.hebbevo-installing
}
use_environment .venv

say() { printf 'scripts/%s: %s\n' "$me" "$*" >&2; }

die() {
    say "$@"
    exit 1
}

# Succeed if $1 is CPython 3.11 to 3.13 (64 bits, with the GIL) that can make virtual environments.
is_supported() {
    "$1" -I -c '
import sys, sysconfig, ensurepip, venv
sys.exit(not (sys.implementation.name == "cpython" and (3, 11) <= sys.version_info[:2] <= (3, 13)
              and sys.maxsize > 2**32 and not sysconfig.get_config_var("Py_GIL_DISABLED")))
' >/dev/null 2>&1 </dev/null
}

minor_version() { "$1" -I -S -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null </dev/null; }

find_python() {
    local candidate
    if [[ -n ${PYTHON:-} ]]; then
        is_supported "$PYTHON" || die "PYTHON=$PYTHON is not CPython 3.11 to 3.13 with its venv module"
        printf '%s\n' "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python; do
        if is_supported "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    die 'found no CPython 3.11 to 3.13 with its venv module (Debian, Ubuntu: apt install python3-venv);' \
        'install one, or name it: PYTHON=/path/to/python3.12'
}

# All that an installation depends on. Scripts in .venv/bin hold absolute paths, so a moved checkout installs again.
fingerprint() {
    printf '%s\n' "$root"
    (CDPATH='' cd -- "$root" && cksum setup.cfg pyproject.toml scripts/constraints.txt)
    "$venv/bin/python" -I -S -c 'import sys; print(sys.version)' 2>/dev/null </dev/null
}

fits_python() { [[ -z ${PYTHON:-} ]] || [[ $(minor_version "$PYTHON") == "$(minor_version "$venv/bin/python")" ]]; }

# The stamp's first line names the extra that is installed, the others are the fingerprint.
is_current() {
    local extra=$1 installed
    [[ -x $venv/bin/python && -x $venv/bin/hebbevo && ! -e $installing ]] || return 1
    { read -r installed <"$stamp"; } 2>/dev/null || return 1
    [[ -z $extra || $installed == "extra: $extra" ]] || return 1
    [[ $(fingerprint) == "$(tail -n +2 "$stamp")" ]] && fits_python
}

# Whether pip can go on in the environment that is there.
is_usable() {
    [[ -e $venv/pyvenv.cfg && ! -e $installing ]] && is_supported "$venv/bin/python" && fits_python &&
        "$venv/bin/python" -I -m pip --version >/dev/null 2>&1 </dev/null
}

make_environment() {
    local python
    python=$(find_python)
    [[ ! -e $venv ]] || say "making ${venv##*/} anew: it is unfinished, damaged or of another Python"
    rm -rf -- "$venv"
    mkdir -- "$venv"
    : >"$installing"
    "$python" -m venv "$venv" </dev/null
}

# setuptools comes first and pinned, so that the build uses it instead of fetching the newest one for itself.
pip_install() {
    (
        CDPATH='' cd -- "$root"
        export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1
        python=$venv/bin/python
        "$python" -m pip install -q -c scripts/constraints.txt setuptools &&
            "$python" -m pip install -q -c scripts/constraints.txt --no-build-isolation -e ".${1:+[$1]}"
    ) </dev/null >&2
}

install() {
    local extra=$1 fresh=
    if ! is_usable; then
        make_environment
        fresh=yes
    elif [[ -z $extra && -e $stamp ]] && grep -qx 'extra: test' "$stamp"; then
        extra=test # an update for scripts/run keeps what scripts/test needs
    fi
    say "installing hebbevo into ${venv##*/} (the first time takes a few minutes)"
    : >"$installing"
    rm -f -- "$stamp"
    if ! pip_install "$extra"; then
        # pip takes a failed update back by itself; a failed first installation is better begun again.
        [[ -n $fresh ]] || rm -f -- "$installing"
        die 'the installation failed, for the reason above'
    fi
    { printf 'extra: %s\n' "$extra" && fingerprint; } >"$stamp.new"
    mv -- "$stamp.new" "$stamp"
    rm -f -- "$installing"
}

# One installation at a time. pip inherits the lock: if this script is killed, the next one waits for that pip to end.
ensure_environment() {
    local extra=${1:-}
    unset PYTHONHOME
    if is_current "$extra"; then return; fi
    if command -v flock >/dev/null; then
        exec 9>>"$venv.lock"
        flock -n 9 || {
            say "waiting for another installation into ${venv##*/}"
            flock 9
        }
        if ! is_current "$extra"; then install "$extra"; fi
        exec 9>&-
    else
        install "$extra"
    fi
}

use_python() {
    PYTHON=python$1
    # pyenv runs only the versions that its settings name
    is_supported "$PYTHON" || ! command -v pyenv >/dev/null || PYTHON=$(pyenv prefix "$1")/bin/python
    use_environment ".venv-$1"
}

# Every package of $venv is linked, but for MuJoCo's: that takes seconds, where another installation takes minutes.
# MuJoCo 4 is several distributions of one version, which put their files into one folder: it never goes over a 3.
use_mujoco() {
    local version=$1 base=$venv site packages
    use_environment ".venv-mujoco-$version"
    [[ $(cat "$stamp" 2>/dev/null) == "$(cat "$base/.hebbevo-stamp")" ]] && return
    say "making ${venv##*/} of the packages of ${base##*/}"
    rm -rf -- "$venv"
    "$base/bin/python" -m venv --without-pip "$venv" </dev/null
    site='import sysconfig; print(sysconfig.get_path("purelib"))'
    packages=$("$venv/bin/python" -I -c "$site")
    find "$("$base/bin/python" -I -c "$site")" -mindepth 1 -maxdepth 1 ! -name 'mujoco*' ! -name __pycache__ \
        -exec ln -s -t "$packages" {} +
    (
        cd -- "$root"
        export PIP_DISABLE_PIP_VERSION_CHECK=1
        pip=("$base/bin/python" -m pip --python "$venv/bin/python" install -q --no-deps)
        parts='import importlib.metadata as m; print(*(r for r in m.requires("mujoco") if r.startswith("mujoco-") and ";" not in r))'
        "${pip[@]}" "mujoco==$version" && parts=$("$venv/bin/python" -I -c "$parts") || exit
        # shellcheck disable=SC2086  # words
        [[ -z $parts ]] || "${pip[@]}" $parts
    ) </dev/null >&2 || die "MuJoCo $version could not be installed, for the reason above"
    cp -- "$base/.hebbevo-stamp" "$stamp"
}
