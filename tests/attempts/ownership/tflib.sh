. @DIR@/lib.sh; unset TF_CLI_CONFIG_FILE
tf() { new $1; cp ../f2/tool.mig .; mkdir A B bin; cat > main.tf <<'X'
terraform {
  backend "local" { path = "BASE/state.tfstate" }
}
variable "n" { type = string }
resource "terraform_data" "x" { input = var.n }
output "v" { value = terraform_data.x.output }
X
sed -i "s#BASE#$PWD#" main.tf; for f in A B; do cp main.tf $f; echo 'n = "1"' > $f/v.tfvars; done; rm main.tf
cat > migc.yaml <<'X'
order: [staging]
environments: { staging: { context: x, namespace: x, terraform: { dir: A, var-file: v.tfvars } } }
X
(cd A && timeout 100 terraform init -input=false >/dev/null && timeout 100 terraform apply -auto-approve -var-file v.tfvars -no-color >/dev/null); (cd B && timeout 100 terraform init -input=false >/dev/null)
cat > s.mig <<X
use "tool.mig";
stage staging < set variable "n" to "2"; plan terraform as p; colleague "$PWD/c1.sh"; apply p; colleague "$PWD/c2.sh"; verify terraform output "v" is "${WANT:-7}" within 1s; > on failure undo;
X
echo "${C1:-true}" > c1.sh; echo "${C2:-true}" > c2.sh; }
wrap() { # wrapper: runs $PRE before apply, $POST after; REAL=0: not run
cat > bin/terraform <<X
#!/bin/bash
R=@TERRAFORM@; N=\$(cat $PWD/n 2>/dev/null || echo 0)
for a in "\$@"; do [ "\$a" = apply ] && A=1; done
if [ -n "\$A" ]; then N=\$((N+1)); echo \$N > $PWD/n; if [ \$N = 1 ]; then $1
fi; fi
exec \$R "\$@"
X
chmod +x bin/terraform; export PATH=$PWD/bin:$PATH; }
b() { echo "cd $PWD/../$1/B; @TERRAFORM@ apply -auto-approve -no-color -var n=$2 >/dev/null 2>&1"; }
st() { python3 - <<'X'
import json;d=json.load(open('state.tfstate'));print('state:',d['serial'],d['outputs'],[(r['name'],i['attributes']['input']['value']) for r in d['resources'] for i in r['instances']])
X
}
