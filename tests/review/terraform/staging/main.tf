terraform {
  backend "http" {
    address      = "https://state.example.com/shop-staging"
    lock_address = "https://state.example.com/shop-staging/lock"
  }
}
