volumes = [
  { name = "store-data", size = 50 },
]
