"""The local page: a chat session in the browser."""
