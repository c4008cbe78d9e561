"""The page: its components, what its events do, and what it hands out."""
