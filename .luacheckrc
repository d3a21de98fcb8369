-- Lua as Redis runs it: 5.1, with what is given to a script. `mailbox` is what
-- adapters/redis/lua/prelude.lua defines before each script of the mailbox.
std = "lua51"
read_globals = {"KEYS", "ARGV", "redis", "cjson", "mailbox"}
max_line_length = 100
files["adapters/redis/lua/prelude.lua"].ignore = {"241"}
