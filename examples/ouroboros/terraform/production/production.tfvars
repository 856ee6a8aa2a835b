node_count = 3 # three answer the daily load, five the morning peak

volumes = [
  {
    name         = "qdrant-data"
    size         = 50
    type         = "SSD"
    licence_type = "OTHER"
  },
]
