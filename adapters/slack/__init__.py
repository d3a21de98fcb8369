"""The Slack room: events, commands and sockets in, messages, streams and files out."""
