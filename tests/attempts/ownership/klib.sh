. @DIR@/lib.sh
KC=$KUBECONFIG; k() { timeout 60 kubectl --kubeconfig $KC -n attack-a "$@"; }
ks() { new $1; cp $KC kc.yaml; cp ../f2/tool.mig .; cat > migc.yaml <<X
order: [staging]
environments: { staging: { context: t, namespace: attack-a, kubeconfig: kc.yaml } }
X
rm -f @DIR@/CUR; ln -s @DIR@/$1 @DIR@/CUR; echo '{"ok":1}' > w.json
cat > cm.yaml <<X
apiVersion: v1
kind: ConfigMap
metadata: { name: $1 }
data: { a: "2" }
X
echo "k() { timeout 60 kubectl --kubeconfig $KC -n attack-a \"\$@\"; }; $2" > col.sh
cat > s.mig <<X
use "tool.mig";
stage staging < $3 colleague "@DIR@/$1/col.sh"; verify value of "w.json" at "/ok" is ${WANT:-7} within 1s; > on failure undo;
X
}
out() { k get cm $1 --show-managed-fields -o json 2>&1 | python3 -c "
import json,sys
s=sys.stdin.read()
try: d=json.loads(s); print('cluster:',d['metadata']['uid'][:8],d.get('data'),d['metadata'].get('labels'),[(m['manager'],m['operation'],list(m['fieldsV1'].get('f:data',{}))) for m in d['metadata']['managedFields']])
except Exception: print('cluster:',s)"; }
