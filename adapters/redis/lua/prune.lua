-- Delete what a thread remembers from before a cutoff, in milliseconds since the epoch. Returns how
-- many turns that were.
local thread, cutoff_ms = unpack(ARGV)

local turns, photos = mailbox.key(thread, 'turns'), mailbox.key(thread, 'photos')
local aging, cutoff = mailbox.key('aging'), tonumber(cutoff_ms)
local removed = redis.call('ZREMRANGEBYSCORE', turns, '-inf', cutoff)
local first = redis.call('ZRANGE', turns, 0, 0, 'WITHSCORES')
local oldest = tonumber(first[2] or 0)
local entries = redis.call('HGETALL', photos)
for i = 1, #entries, 2 do
  local at = (cjson.decode(entries[i + 1]).at or 0) * 1000
  if at <= cutoff then
    redis.call('HDEL', photos, entries[i])
  elseif oldest == 0 or at < oldest then
    oldest = at
  end
end
if removed > 0 then redis.call('DEL', mailbox.key(thread, 'request')) end
if oldest == 0 then
  redis.call('ZREM', aging, thread)
else
  redis.call('ZADD', aging, oldest, thread)
end
return removed
