"""Microsoft Teams and every other Bot Framework channel."""
