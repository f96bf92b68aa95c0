#!/usr/bin/env bash
# What `nightjar` needs before it can run: which steps there are, in which order, and when each is done already.
# Each step is skipped while the hash of what goes into it is the one of its stamp and what it makes is there.
TOOLS=$NIGHTJAR_ROOT/.tools
STAMPS=$TOOLS/stamps
SETUP_LOG=$TOOLS/setup.log
PNPM_VERSION=12.21.0
NODE_MAJOR=24
case $(uname -m) in
  x86_64) PLATFORM=linux-x64 ;;
  aarch64) PLATFORM=linux-arm64 ;;
  *) PLATFORM=unsupported ;;
esac
NODE_PACKAGE=node-$PLATFORM
# turbo spawns pnpm without a shell, so it has to find the program itself and not the script that stands for it.
TOOL_PATHS=$TOOLS/node_modules/$NODE_PACKAGE/bin:$TOOLS/node_modules/@pnpm/exe.$PLATFORM
TOOL_PATHS+=:$NIGHTJAR_ROOT/node_modules/.bin

SETUP_FOLDER=$NIGHTJAR_ROOT/scripts/setup
# shellcheck source=scripts/setup/steps.sh
source "$SETUP_FOLDER/steps.sh"
# shellcheck source=scripts/setup/packages.sh
source "$SETUP_FOLDER/packages.sh"
# shellcheck source=scripts/setup/apt.sh
source "$SETUP_FOLDER/apt.sh"
# shellcheck source=scripts/setup/libbpf.sh
source "$SETUP_FOLDER/libbpf.sh"
# shellcheck source=scripts/setup/nats-server.sh
source "$SETUP_FOLDER/nats-server.sh"
# shellcheck source=scripts/setup/static-libraries.sh
source "$SETUP_FOLDER/static-libraries.sh"

# The files, from the root, whose contents decide whether what is made is still right, in a fixed order.
inputs_of() { # STEP
  case $1 in
    dependencies)
      find . -maxdepth 3 \( -name node_modules -o -name .tools \) -prune \
        -o \( -name package.json -o -name pnpm-lock.yaml -o -name pnpm-workspace.yaml \) -print
      ;;
    build)
      find proto native-probe packages services cli scripts/bundle.ts scripts/externals.ts turbo.json \
        tsconfig.base.json pnpm-lock.yaml \
        \( -name node_modules -o -name build -o -name gen -o -name dist -o -name .turbo \) -prune \
        -o -type f ! -name '*.test.ts' ! -name '*.md' -print
      ;;
  esac | LC_ALL=C sort
}

# What a step makes; where one of these is missing, it runs again.
outputs_of() { # STEP
  case $1 in
    toolchain) echo "$TOOLS/node_modules/$NODE_PACKAGE/bin/node" "$TOOLS/node_modules/@pnpm/exe.$PLATFORM/pnpm" ;;
    dependencies) echo "$NIGHTJAR_ROOT/node_modules/.modules.yaml" ;;
    build) echo "$NIGHTJAR_ROOT/proto/gen" "$NIGHTJAR_ROOT/cli/dist/main.js" ;;
  esac
}

hash_of() { # STEP
  local made_with="$NODE_PACKAGE@$NODE_MAJOR pnpm@$PNPM_VERSION"
  [ "$1" != build ] || made_with+=" ${SKIP_PROBE:-} $(libbpf_variables)"
  (cd "$NIGHTJAR_ROOT" && inputs_of "$1" | xargs -r -d '\n' sha256sum && echo "$made_with") | sha256sum | cut -c 1-64
}

is_done() { # STEP
  local output
  for output in $(outputs_of "$1"); do [ -e "$output" ] || return 1; done
  [ -e "$STAMPS/$1" ] && [ "$(cat "$STAMPS/$1")" = "$(hash_of "$1")" ]
}

pending_steps() {
  local one pending=""
  for one in toolchain dependencies; do is_done "$one" || pending+=" $one"; done
  libbpf_is_there || pending+=" libbpf"
  is_done build || pending+=" build"
  nats_server_is_there || pending+=" nats_server"
  [ -z "$FOR_PACKAGE" ] || static_libraries_are_there || pending+=" static_libraries"
  [ -z "$FOR_TESTS" ] || [ -z "$(missing_of "$TEST_PACKAGES")" ] || pending+=" test_packages"
  # The distribution's packages serve the other steps: where those are done, nobody asks for them.
  [ -z "$pending" ] || [ -z "$(missing_packages)" ] || pending="packages$pending"
  echo "${pending# }"
}

set_up() { # the command's arguments
  choose_builder
  choose_scope "$@"
  local pending
  pending=$(pending_steps)
  [ -n "$pending" ] || return 0
  may_set_up "$pending" || return 0
  as_builder mkdir -p "$STAMPS" "$TOOLS/cache"
  as_builder touch "$TOOLS/lock"
  exec 9<"$TOOLS/lock"
  flock --nonblock 9 || { say "another nightjar is setting up this checkout; waiting for it" && flock 9; }
  pending=$(pending_steps)
  # shellcheck disable=SC2086 # one word a step
  run_steps $pending
  exec 9<&-
}

# A replay needs no probe: where a user without root lacks the compilers, the sensor is built without it.
choose_scope() {
  SKIP_PROBE=
  FOR_TESTS=
  FOR_PACKAGE=
  if [ "${1:-}" = test ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then FOR_TESTS=yes; fi
  if [ "${1:-}" = package ] || [ -n "$FOR_TESTS" ]; then FOR_PACKAGE=yes; fi
  case " $* " in *" --replay"*) ;; *) return 0 ;; esac
  if [ "$(id -u)" != 0 ] && ! is_done build && [ -n "$(missing_packages)" ]; then SKIP_PROBE=yes; fi
}

# Ends with a message what cannot be set up; returns 1 where what was built before can be run as it is.
may_set_up() { # PENDING
  local missing
  [ "$PLATFORM" != unsupported ] || fail "this machine is $(uname -m); Nightjar runs on x86_64 and aarch64"
  if ! as_builder mkdir -p "$TOOLS" 2>/dev/null || ! as_builder test -w "$TOOLS"; then
    [ ! -e "$NIGHTJAR_ROOT/cli/dist/main.js" ] ||
      { say "what is built is not up to date, and $(id -un) cannot build here; it runs as it is" && return 1; }
    fail "$TOOLS cannot be written by $(id -un)" "run it as the owner of the checkout, or as root"
  fi
  case " $1 " in *" packages "*) missing=$(missing_packages | tr -d \?) ;; *) return 0 ;; esac
  [ "$(id -u)" = 0 ] || fail "these packages are missing, and installing them needs root:" "  $missing" \
    "start it once with sudo (sudo ./nightjar run), or install them yourself;" \
    "without root, ./nightjar run --replay FILE plays a recording through all stages"
  command -v apt-get >/dev/null || fail "these packages are missing:" "  $missing" \
    "the launcher installs packages on Debian and Ubuntu; elsewhere install what corresponds to them"
}

step_toolchain() {
  # npm runs on the Node that is there already, not on the one it is about to replace.
  BUILDER_PATH=$PATH as_builder npm install --prefix "$TOOLS" --no-save --no-package-lock --ignore-scripts \
    --no-audit --no-fund "$NODE_PACKAGE@$NODE_MAJOR" "pnpm@$PNPM_VERSION" || return
  as_builder rm -rf "$TOOLS/cache/npm"
}

step_dependencies() {
  cd "$NIGHTJAR_ROOT" && as_builder pnpm install --frozen-lockfile --prefer-offline
}

step_build() {
  local only=() variables
  read -ra variables <<<"$(libbpf_variables)"
  # turbo writes over what it restores, which would kill a running collector that has it mapped (SIGBUS).
  as_builder rm -f "$NIGHTJAR_ROOT"/services/*/dist/*.node
  [ -z "$SKIP_PROBE" ] || only=(--filter "!@nightjar/native-probe")
  cd "$NIGHTJAR_ROOT" && as_builder env "${variables[@]}" \
    turbo run build --env-mode loose --no-update-notifier --output-logs new-only "${only[@]}"
}
