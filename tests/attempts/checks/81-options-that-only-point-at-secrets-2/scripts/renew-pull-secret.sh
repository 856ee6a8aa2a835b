#!/bin/sh
set -eu
exec ./scripts/lib/pull-secret "$@"
