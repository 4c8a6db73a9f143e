# shellcheck shell=bash
# What scripts/bench and scripts/profile share besides scripts/lib.sh: a separate environment, so that other servers and
# measuring tools are never installed next to Trio Stream. It is sourced, not run.

bench=$repo/.cache/bench/venv

# setup_bench - install exactly what scripts/benchmarks/requirements.txt pins into .cache/bench/venv, if it has changed.
setup_bench() {
    local list=scripts/benchmarks/requirements.txt sum wanted
    [ "$(uname)" = Linux ] || die "The measurements need Linux (/proc, epoll, MSG_TRUNC, two CPUs to pin to)."
    setup runtime
    sum=$(cat "$list" "$venv/pyvenv.cfg" | sha256sum)
    wanted="$sum $repo"
    [ "$(cat "$bench/.made" 2>/dev/null || true)" != "$wanted" ] || return 0
    say "Creating .cache/bench/venv with $(grep -c '==' "$list") pinned packages"
    rm -rf "$bench"
    mkdir -p "$bench"
    run "$venv/bin/python" -I -m venv "$bench"
    PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
        run "$bench/bin/python" -I -m pip install -qq --require-hashes -r "$list" ||
        die "The packages could not be installed (see above)."
    printf '%s\n' "$wanted" >"$bench/.made"
}
