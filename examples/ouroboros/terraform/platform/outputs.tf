output "k8s_kubeconfig" {
  sensitive = true
  value = yamlencode({
    apiVersion      = "v1"
    kind            = "Config"
    current-context = "ionos-${var.environment}"
    clusters        = [{ name = "ionos-${var.environment}", cluster = { server = "https://k8s.${var.environment}.example.com:6443" } }]
    contexts        = [{ name = "ionos-${var.environment}", context = { cluster = "ionos-${var.environment}", user = "operator" } }]
    users           = [{ name = "operator", user = { token = "issued-for-${var.node_count}-nodes" } }]
  })
}

output "nodes" {
  value = [for node in terraform_data.node : node.output.name]
}
