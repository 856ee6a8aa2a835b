variable "environment" {
  type = string
}

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
