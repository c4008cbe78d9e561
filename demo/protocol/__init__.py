"""What travels between page and server: encoded, decoded, checked, and nothing else."""
