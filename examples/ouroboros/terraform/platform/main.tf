# The guide's cloud, built from terraform_data: it plans and applies anywhere, without a provider and without a network.
terraform {
  required_version = ">= 1.4"
}

resource "terraform_data" "node" {
  count = var.node_count
  input = { name = "${var.environment}-${count.index + 1}" }
}

resource "terraform_data" "volume" {
  for_each = { for volume in var.volumes : volume.name => volume }
  input    = each.value
}
