#!/bin/sh
# Whether what the layers say of each other fits together. Reads only.
set -eu
cd "$(dirname "$0")/.."
for file in appsettings.Production.json k8s/configmap.yaml terraform/platform/main.tf; do
    [ -f "$file" ] || { echo "$file is missing" >&2; exit 1; }
done
grep -q monadic-pipeline-config k8s/configmap.yaml || { echo "the ConfigMap has another name than the deployments read" >&2; exit 1; }
echo "the layers fit together"
