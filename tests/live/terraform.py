#!/usr/bin/env python3
"""terraform with terraform_data, which needs no provider: plan, expect, apply, and the way back."""
import json, subprocess

from support import Project, check, finish, need

need("terraform")
project = Project(**{
    "migc.yaml": """order: [staging]
environments:
  staging: { context: none, namespace: none, terraform: { dir: terraform, var-file: environments/staging.tfvars } }
""",
    "terraform/main.tf": """variable "node_count" { type = number }
variable "label" { type = string }
resource "terraform_data" "node" {
  count = var.node_count
  input = var.label
}
output "nodes" { value = length(terraform_data.node) }
""",
    "terraform/environments/staging.tfvars": "# the pool\nnode_count = 3  # Changed by migrations\nlabel      = \"pool\"\n",
    "prepare.mig": "stage staging < init terraform; plan terraform as p; expect p adds 3 changes 0 destroys 0; apply p; > on failure undo;\n",
    "grow.mig": """stage staging <
    set variable "node_count" to "5";
    plan terraform as p;
    expect p adds 2 changes 0 destroys 0;
    apply p;
    verify terraform output "nodes" is 5;
> on failure undo;
""",
    "grow-and-fail.mig": """stage staging <
    set variable "node_count" to "7";
    plan terraform as p;
    apply p;
    verify terraform output "nodes" is 99 within 1s;
> on failure undo;
""",
    "unexpected.mig": """stage staging <
    set variable "node_count" to "6";
    plan terraform as p;
    expect p touches only ["terraform_data.other"];
    apply p;
> on failure undo;
""",
})


def nodes():
    state = subprocess.run(["terraform", "-chdir=" + str(project.folder / "terraform"), "state", "pull"], capture_output=True, text=True).stdout
    return sorted(i["index_key"] for r in json.loads(state)["resources"] for i in r["instances"])


def variables():
    return project.read("terraform/environments/staging.tfvars")


check("prepare", project.migc("run", "prepare.mig").returncode == 0)
check("three nodes", nodes() == [0, 1, 2])
check("the guide's scenario 3: three to five", project.migc("run", "grow.mig").returncode == 0)
check("five nodes", nodes() == [0, 1, 2, 3, 4])
check("the comment stays", variables() == "# the pool\nnode_count = 5  # Changed by migrations\nlabel      = \"pool\"\n", variables())
before = variables()
done = project.migc("run", "grow-and-fail.mig")
check("a failed verification is undone by a new plan", done.returncode == 1, done.stdout)
check("five nodes again", nodes() == [0, 1, 2, 3, 4])
check("the variables are the bytes they were", variables() == before)
done = project.migc("run", "unexpected.mig")
check("a plan that touches something else is not applied", done.returncode == 1 and nodes() == [0, 1, 2, 3, 4], done.stdout)
check("and its address is named", "terraform_data.node[5]" in done.stdout, done.stdout)
done = project.migc("run", "grow.mig", environment={"TF_CLI_ARGS_plan": "-destroy", "TF_CLI_ARGS_apply": "-auto-approve"})
check("the caller's TF_CLI_ARGS do not creep in", nodes() == [0, 1, 2, 3, 4], done.stdout)
project.remove()
finish()
