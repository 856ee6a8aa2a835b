#!/bin/sh
# setup.sh DIR: makes a scratch folder DIR in which the attempts can be typed again. MIGC and, for kubernetes, KUBECONFIG are to be set.
# Then: cd DIR; . ./kvlib.sh (or httplib.sh, tflib.sh, klib.sh), and the lines of ../ownership.md.
set -e
D=$(mkdir -p "$1" && cd "$1" && pwd); cd "$(dirname "$0")"; T=$(command -v terraform || echo terraform)
mkdir -p $D/bin $D/f1 $D/f2
for f in *.sh *.py *.mig bin/*; do [ $f = setup.sh ] || sed "s#@DIR@#$D#g; s#@TERRAFORM@#$T#g" $f > $D/$f; done
chmod +x $D/bin/*; cp migc.yaml $D/f1/; cp tool.mig $D/f2/
