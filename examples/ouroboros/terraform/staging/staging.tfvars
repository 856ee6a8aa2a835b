node_count = 2

volumes = [
  {
    name         = "qdrant-data"
    size         = 50
    type         = "SSD"
    licence_type = "OTHER"
  },
]
