node_count = 3
