"""What a visitor's wish becomes: runs that yield updates, with no page around them."""
