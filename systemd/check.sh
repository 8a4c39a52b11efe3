#!/bin/sh
# Holds the unit against systemd's own rules: it must verify, and score 1.1 or better.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# verify wants the program to exist; the real one is installed by the administrator.
sed "s|^ExecStart=/opt/syncd/bin/syncd|ExecStart=/bin/true|" "$here/syncd.service" >"$scratch/syncd.service"
systemd-analyze verify "$scratch/syncd.service"
if ! systemd-analyze security --offline=true --threshold=11 "$scratch/syncd.service" >"$scratch/score"; then
    cat "$scratch/score"
    exit 1
fi
tail -n 1 "$scratch/score"
