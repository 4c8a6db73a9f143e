# shellcheck shell=bash
# What the scripts in this folder share: the path of the repository, printing messages, running long commands, and
# setting up the virtual environment. It is sourced, not run, and changes to the folder of the repository.

repo=$(cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." && pwd -P)
cd "$repo" || exit
venv=$repo/.venv
stamp=$venv/.trio-stream                 # what the environment was created from, and where; written last
unfinished=$venv/.trio-stream-unfinished # exists while the environment is being created

say() { printf '%s\n' "$*" >&2; }
die() {
    say "$@"
    exit 1
}

# run COMMAND... - run a command in its own process group. If this script gets a signal to stop, stop the command and
# all its children, wait for it to end, and exit.
run() {
    local child status=0 stopped=
    set -m
    "$@" &
    child=$!
    set +m
    trap 'stopped=130; kill -- "-$child" 2>/dev/null' INT
    trap 'stopped=143; kill -- "-$child" 2>/dev/null' TERM
    trap 'stopped=129; kill -- "-$child" 2>/dev/null' HUP
    wait "$child" || status=$?
    trap - INT TERM HUP
    if [ -n "$stopped" ]; then
        wait "$child" 2>/dev/null || true
        exit "$stopped"
    fi
    return "$status"
}

# wanted runtime|dev - the stamp of an environment that is up to date.
wanted() {
    local files=(pyproject.toml "$venv/pyvenv.cfg" scripts/requirements.txt) sum=(cksum)
    [ "$1" = runtime ] || files+=(scripts/requirements-dev.txt)
    if command -v sha256sum; then sum=(sha256sum); elif command -v shasum; then sum=(shasum -a 256); fi >/dev/null
    echo "$1 $(cat "${files[@]}" | "${sum[@]}")"
    echo "$repo"
}

# ready runtime|dev - whether the environment is up to date. This runs at every start, so it does not start Python.
ready() {
    local found site
    [ -f "$stamp" ] && [ ! -e "$unfinished" ] && [ -x "$venv/bin/python" ] && [ -x "$venv/bin/hypercorn" ] || return 1
    for site in "$venv"/lib/python3*/site-packages; do # another tool has installed or removed something
        [ ! "$site" -nt "$stamp" ] || return 1
    done
    found=$(<"$stamp")
    [ "$found" = "$(wanted dev)" ] || { [ "$1" = runtime ] && [ "$found" = "$(wanted runtime)" ]; }
}

# base_python COMMAND - print the real path of a Python if it runs, is new enough and can create virtual environments.
base_python() {
    "$1" -I -c '
import sys
sys.version_info >= (3, 12) or sys.exit(3)
try:
    import ensurepip, venv
except ImportError:
    sys.exit(4)
print(sys._base_executable)' 2>/dev/null
}

# find_python - print the path of the Python to use.
find_python() {
    local candidate found status no_venv=
    local candidates=(${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python)
    candidates+=("${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python3)
    if command -v uv >/dev/null; then candidates+=("$(uv python find --no-project '>=3.12' 2>/dev/null || echo python3)"); fi
    for candidate in "${candidates[@]}"; do
        status=0
        found=$(base_python "$candidate") || status=$?
        if [ "$status" = 0 ]; then
            echo "$found"
            return
        fi
        [ "$status" != 4 ] || no_venv=$candidate
        [ "$candidate" != "${PYTHON:-}" ] || say "PYTHON=$PYTHON is not a usable Python 3.12 or newer; looking for another."
    done
    if [ -n "$no_venv" ]; then
        die "$no_venv is new enough but cannot create virtual environments. Please install its 'venv' module," \
            "on Debian or Ubuntu: apt install python3-venv"
    fi
    die "Trio Stream needs Python 3.12 or newer, but there is none. Please install one (Debian 13, Ubuntu 24.04 or newer:" \
        "apt install python3 python3-venv; macOS: brew install python; anywhere: uv python install 3.13)" \
        "or set PYTHON to the path of one."
}

# usable - whether packages can be installed into the existing .venv.
usable() {
    [ ! -e "$unfinished" ] && [ -f "$venv/bin/activate" ] || return 1
    [ ! -f "$stamp" ] || [ "$(tail -n 1 "$stamp")" = "$repo" ] || return 1 # moved or copied here
    grep -qF "$venv" "$venv/bin/activate" || return 1
    base_python "$venv/bin/python" >/dev/null || return 1
    "$venv/bin/python" -I -m pip --version >/dev/null 2>&1 || run "$venv/bin/python" -I -m ensurepip >/dev/null 2>&1
}

# other_python - whether PYTHON names another version than that of the environment.
other_python() {
    local version
    if [ -z "${PYTHON:-}" ] || ! base_python "$PYTHON" >/dev/null; then return 1; fi
    version=$("$PYTHON" -I -c 'import platform; print(platform.python_version())')
    ! grep -qE "^version(_info)? = ${version//./\\.}(\.|$)" "$venv/pyvenv.cfg" 2>/dev/null
}

make_venv() {
    local python
    python=$(find_python) || exit
    say "Creating the virtual environment .venv with $("$python" --version)"
    mkdir -p "$venv"
    : >"$unfinished"
    find -H "$venv" -mindepth 1 ! -path "$unfinished" -delete
    run "$python" -I -m venv "$venv" || die "The virtual environment could not be created (see above)."
}

pip_install() {
    PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
        run "$venv/bin/python" -I -m pip install -qq "$@"
}

install_into_venv() {
    local list=scripts/requirements.txt
    [ "$1" = runtime ] || list=scripts/requirements-dev.txt
    : >"$unfinished"
    say "Installing $(grep -c '==' "$list") pinned packages from $list"
    pip_install --require-hashes -r "$list" &&
        pip_install --no-deps --no-build-isolation --editable . &&
        [ -x "$venv/bin/hypercorn" ] && rm "$unfinished"
}

# setup runtime|dev - install exactly the pinned packages into .venv; returns at once if it is up to date. Repairs an
# environment that is unfinished, was moved here or was created by hand. Only one setup runs at a time; others wait.
setup() {
    local kind=$1
    if ready "$kind" && ! other_python; then return; fi
    mkdir -p .cache
    exec 9>.cache/setup.lock
    if command -v flock >/dev/null && ! flock -n 9; then
        say "Another script is setting up .venv; waiting for it"
        run flock 9
    fi
    if ! ready "$kind" || other_python; then
        if grep -q '^dev ' "$stamp" 2>/dev/null; then kind=dev; fi # keep the packages for the tests
        if other_python || ! usable; then
            make_venv
        elif ! install_into_venv "$kind"; then
            say "The installation failed; trying again in a new .venv"
            make_venv
        fi
        [ ! -e "$unfinished" ] || install_into_venv "$kind" ||
            die "The packages could not be installed (see above). Please solve the problem and run this again."
        wanted "$kind" >"$stamp.new"
        mv "$stamp.new" "$stamp"
    fi
    exec 9>&-
}
