"""What stands before the page: requests checked, what is refused or fails logged."""
