"""Slack: events and interactions in, answers out."""
