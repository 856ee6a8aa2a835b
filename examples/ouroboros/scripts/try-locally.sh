#!/bin/sh
# Starts the application here with the endpoint that it is given, as `dotnet run --project src/Ouroboros.CLI` would with
# PIPELINE__LlmProvider__OllamaEndpoint in its environment, and ends. Reads only.
set -eu
case ${1:?the endpoint} in
    http://*:11434 | https://*:11434) echo "the endpoint $1 is well formed" ;;
    *) echo "$1 is no Ollama endpoint" >&2; exit 1 ;;
esac
