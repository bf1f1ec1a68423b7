"""What is measured over HTTPS: the operator itself, and the floor, which are servers that do next to nothing."""
