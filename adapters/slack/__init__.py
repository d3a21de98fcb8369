"""Slack: receives events and commands by webhook or socket; sends messages, streams, files."""
