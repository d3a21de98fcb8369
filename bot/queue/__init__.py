"""The queue: messages are accepted, leased, worked on, and deleted past their retention."""
