#!/bin/sh
set -eu
exec curl -fsS -X POST https://cdn.example.net/purge "$@"
