# backend "s3" {} would be no backend here
locals {
  text = "terraform { backend \"s3\" { bucket = \"b\" } }"
}

terraform {
  required_version = ">= 1.4"
  backend "http" {
    address = "https://state.example.com/shop"
  }
}
