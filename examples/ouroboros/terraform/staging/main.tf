# The staging environment. It has a folder, and so a state, of its own: with one folder and two var-files, as the guide has
# them, the plan of one environment would turn the other's infrastructure into its own.
variable "node_count" {
  type = number
}

variable "volumes" {
  type = list(object({
    name         = string
    size         = number
    type         = string
    licence_type = string
  }))
}

module "platform" {
  source      = "../platform"
  environment = "staging"
  node_count  = var.node_count
  volumes     = var.volumes
}

output "k8s_kubeconfig" {
  value     = module.platform.k8s_kubeconfig
  sensitive = true
}

output "nodes" {
  value = module.platform.nodes
}
