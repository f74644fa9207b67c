#!/bin/sh
# What the system tests need from Debian: systemd-analyze and systemd-nspawn for the unit, auditd for a real audit log
# and (with python3-audit) as the oracle of how we read it, strace for injected faults, systemd-journal-remote to write real
# journals, and Alertmanager to post to us. Without root or apt nothing is installed and those tests are skipped with a
# reason: never a failure.
set -eu
say() { printf '==> %s\n' "$*"; }

wanted="systemd systemd-container auditd python3-audit strace systemd-journal-remote"
# a service that listens to everybody is nothing to start on somebody's machine
[ -d /run/systemd/system ] || wanted="$wanted prometheus-alertmanager"
missing=""
for package in $wanted; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
if [ -z "$missing" ]; then
    say "Debian packages: all there"
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    say "Debian packages: no apt here, tests that need$missing are skipped"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    say "Debian packages: not root, tests that need$missing are skipped (sudo apt-get install$missing)"
    exit 0
fi
say "Debian packages: installing$missing"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of names
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 3 "$log" >&2
    say "Debian packages: could not be installed, tests that need$missing are skipped"
fi
rm -f "$log"
