"""The outside world, one thing per room."""
