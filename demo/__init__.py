"""The story of the README, told with a real control plane: `make demo`."""
