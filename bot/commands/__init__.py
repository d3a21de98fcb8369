"""The commands in chat: one declaration each, gathered in `registry`, carried out by `executor`."""
