node_count = 3
zones = ["a", "b"
