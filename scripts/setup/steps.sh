#!/usr/bin/env bash
# How a step of the setup runs: its progress for a person, its output in a log, its failure with what to try next.
LOG_LINES_SHOWN=25

NPM_HINT="check that 'npm ping' works; behind a proxy pass its variables on: sudo -E ./nightjar, or sudo https_proxy=…"

declare -A STEP_TITLES=(
  [packages]="distribution packages"
  [test_packages]="container engines and network tools for the tests"
  [toolchain]="Node and pnpm, into .tools"
  [dependencies]="npm packages of the lock file, into node_modules"
  [libbpf]="libbpf 1.0 or later"
  [build]="build: messages, kernel programs, native addon, bundles"
  [nats_server]="nats-server, into .tools"
  [static_libraries]="libbpf and libelf to link into what is packaged"
)
declare -A STEP_HINTS=(
  [packages]="try 'apt-get update' by hand; behind a proxy, apt has settings of its own (apt.conf)"
  [toolchain]=$NPM_HINT
  [dependencies]=$NPM_HINT
  [libbpf]="install libbpf-dev 1.0 or later yourself, and run it again"
  [build]="read the log; to start over, remove .tools/stamps and run it again"
  [static_libraries]="read the log; the sources of libbpf and elfutils come from the distribution's mirror"
  [nats_server]="install nats-server 2.9.4 or later yourself: on the PATH, or named by NIGHTJAR_BUS_SERVER_BINARY"
)

# Everything the setup says goes to standard error: standard output belongs to the command.
say() { printf 'nightjar: %s\n' "$*" >&2; }

fail() { # LINE...
  say "$1"
  shift
  local line
  for line in "$@"; do printf '          %s\n' "$line" >&2; done
  exit 1
}

# What there is to say before anything is installed; afterwards the command line speaks for itself.
usage() {
  cat <<'END'
Nightjar, a runtime security sensor for Linux.

  sudo ./nightjar run                 install what is missing into this checkout, build, and watch this machine
  sudo ./nightjar test                the same, then the whole test suite
  ./nightjar run --replay FILE        play a recording through all stages; needs no root
  ./nightjar package                  make the self-contained build and packages of it, into dist/
  ./nightjar setup                    only install and build

Installed are packages of the distribution, and under .tools and node_modules whatever else is needed.
NIGHTJAR_SKIP_SETUP=1 leaves everything as it is.
END
  exit 0
}

# With sudo, what is built belongs to the user who called it, if that user may write here.
choose_builder() {
  BUILDER_UID=$(id -u)
  BUILDER_GID=$(id -g)
  BUILDER_HOME=${HOME:-$(getent passwd "$BUILDER_UID" | cut -d : -f 6)}
  [ "$BUILDER_UID" = 0 ] && [ "${SUDO_UID:-0}" != 0 ] || return 0
  setpriv --reuid "$SUDO_UID" --regid "$SUDO_GID" --init-groups test -w "$NIGHTJAR_ROOT" || return 0
  BUILDER_UID=$SUDO_UID
  BUILDER_GID=$SUDO_GID
  BUILDER_HOME=$(getent passwd "$SUDO_UID" | cut -d : -f 6)
}

# Notes a command in the log, when a step runs it.
trace() { [ -z "${IN_STEP:-}" ] || echo "\$ $*"; }

# Runs a command as whoever what is built shall belong to. Caches stay in .tools, so that none is left in a home.
as_builder() {
  local drop=()
  trace "$@" >&2
  [ "$(id -u)" = "$BUILDER_UID" ] ||
    drop=(setpriv --reuid "$BUILDER_UID" --regid "$BUILDER_GID" --init-groups)
  "${drop[@]}" env HOME="$BUILDER_HOME" CI=1 PATH="${BUILDER_PATH:-$TOOL_PATHS:$PATH}" \
    npm_config_cache="$TOOLS/cache/npm" npm_config_update_notifier=false \
    XDG_CACHE_HOME="$TOOLS/cache" XDG_DATA_HOME="$TOOLS/cache" \
    XDG_STATE_HOME="$TOOLS/cache" XDG_CONFIG_HOME="$TOOLS/cache" \
    TURBO_TELEMETRY_DISABLED=1 DO_NOT_TRACK=1 "$@"
}

# What root left from an earlier start would stop the builder from writing.
hand_over() {
  [ "$BUILDER_UID" != 0 ] && [ "$(id -u)" = 0 ] || return 0
  find "$NIGHTJAR_ROOT" -xdev \( -name .git -o -name .state \) -prune -o -uid 0 \
    \( -path '*/node_modules*' -o -path '*/.tools*' -o -path '*/.turbo*' -o -path '*/gen*' -o -path '*/build*' \
    -o -path '*/dist*' \) -exec chown --no-dereference "$BUILDER_UID:$BUILDER_GID" {} +
}

run_steps() { # STEP...
  local number=0 one
  say "setting up this checkout, $# step(s); the output goes to $SETUP_LOG"
  hand_over
  as_builder tee "$SETUP_LOG" </dev/null
  for one in "$@"; do
    number=$((number + 1))
    run_step "$number" $# "$one"
  done
}

run_step() { # NUMBER OF STEP
  local number=$1 of=$2 step=$3 title=${STEP_TITLES[$3]} started=$SECONDS running
  title="[$number/$of] $title$("detail_$step" 2>/dev/null || true)"
  [ -t 2 ] || say "$title"
  printf '\n== %s\n' "$title" >>"$SETUP_LOG"
  (IN_STEP=yes && "step_$step") >>"$SETUP_LOG" 2>&1 </dev/null 9<&- &
  running=$!
  while [ -t 2 ] && kill -0 "$running" 2>/dev/null; do
    printf '\rnightjar: %s … %s s ' "$title" $((SECONDS - started)) >&2
    sleep 0.5
  done
  if ! wait "$running"; then
    [ ! -t 2 ] || echo >&2
    explain "$step" "$title"
  fi
  [ -z "$(outputs_of "$step")" ] || hash_of "$step" | as_builder tee "$STAMPS/$step" >/dev/null
  [ ! -t 2 ] || printf '\r' >&2
  say "$title: done in $((SECONDS - started)) s$("result_$step" 2>/dev/null || true)"
}

explain() { # STEP TITLE
  local command
  command=$(grep '^\$ ' "$SETUP_LOG" | tail -n 1 | cut -c 3- || true)
  {
    say "$2 failed"
    printf '          command: %s\n          last lines of %s:\n' "$command" "$SETUP_LOG"
    tail -n "$LOG_LINES_SHOWN" "$SETUP_LOG" | sed 's/^/            /'
    printf '          try next: %s\n' "${STEP_HINTS[$1]}"
  } >&2
  exit 1
}
