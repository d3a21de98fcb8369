-- Write a message in its place, and delete the messages from before a cutoff, in milliseconds since
-- the epoch. Returns the new version, or 0 where `mode` is "once" and the message exists already.
local notes, changes, ages, version = unpack(KEYS)
local id, body, mode, kind, now_ms, cutoff_ms, keep_ms, channel = unpack(ARGV)

local old = redis.call('HGET', notes, id)
if old and mode == 'once' then return 0 end
local current = redis.call('INCR', version)
local order, began, at = current, '0', now_ms
if old then order, began, at = string.match(old, '^(%d+) (%d+) (%d+) ') end
if began == '0' and kind == 'content' then began = current end
redis.call('HSET', notes, id, table.concat({order, began, at, body}, ' '))
redis.call('ZADD', changes, current, id)
redis.call('ZADD', ages, at, id)
for _, old_id in ipairs(redis.call('ZRANGEBYSCORE', ages, '-inf', cutoff_ms)) do
  redis.call('HDEL', notes, old_id)
  redis.call('ZREM', changes, old_id)
  redis.call('ZREM', ages, old_id)
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, keep_ms) end
redis.call('PUBLISH', channel, current)
return current
