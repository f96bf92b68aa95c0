#!/usr/bin/env bash
# nats-server, unpacked from the distribution's own package into .tools, so that no service is installed or started.
# Newer suites of the machine's own mirror come first: before 2.11.4 a work queue can stall after a crash
# (nats-server issue 6881), which the bus has to heal; Ubuntu 22.04 has none at all.
NATS_FOLDER=$TOOLS/nats-server

nats_server_is_there() {
  [ -n "${NIGHTJAR_BUS_SERVER_BINARY:-}" ] || command -v nats-server >/dev/null || [ -x "$NATS_FOLDER/nats-server" ]
}

unpack_from_suite() { # SUITE COMPONENT
  open_suite deb "$1" "$2" || return
  suite_apt download nats-server || return
  as_builder dpkg -x "$SUITE_FOLDER"/archives/nats-server_*.deb "$SUITE_FOLDER/unpacked" || return
  # A newer suite's program may ask for a newer C library than this machine has.
  as_builder "$SUITE_FOLDER/unpacked/usr/sbin/nats-server" --version || return
  as_builder mkdir -p "$NATS_FOLDER"
  as_builder mv "$SUITE_FOLDER/unpacked/usr/sbin/nats-server" "$NATS_FOLDER/nats-server"
  as_builder tee "$NATS_FOLDER/suite" >/dev/null <<<"$1"
  as_builder rm -rf "$SUITE_FOLDER"
}

step_nats_server() {
  local suite suites component
  find_mirror || return
  case $DISTRIBUTION in
    ubuntu) suites="devel noble $CODENAME" component=universe ;;
    *) suites="sid trixie $CODENAME" component=main ;;
  esac
  for suite in $suites; do
    unpack_from_suite "$suite" "$component" && return
    echo "no nats-server for this machine in $suite"
  done
  return 1
}

result_nats_server() {
  echo ": $("$NATS_FOLDER/nats-server" --version) from $(cat "$NATS_FOLDER/suite")"
}
