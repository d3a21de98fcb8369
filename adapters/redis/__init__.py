"""The durable store: mailboxes, history, settings and sends on Redis."""
