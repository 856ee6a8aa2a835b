#!/bin/sh
set -eu
exec crane manifest registry.example.com/shop/api:2.5.3 >/dev/null
