. @DIR@/lib.sh
kv() { new $1; rm -f @DIR@/CUR; ln -s @DIR@/$1 @DIR@/CUR; cp ../f1/migc.yaml ../kv.mig .; mkdir store; echo 1 > store/a; echo 1 > store/b; echo 1 > store/conf; { echo 'use "kv.mig";'; cat; } > s.mig; }
s() { (cd store; for f in *; do case $f in hook*) ;; *) echo "$f=$(cat $f)";; esac; done | tr '\n' ' '); echo; }
