-- Return the current version, then each message that changed after `since`, with the version of its
-- last change in front. Returns all messages where `since` is later than the current version.
local notes, changes, version = unpack(KEYS)
local since = unpack(ARGV)

local current = redis.call('GET', version) or '0'
if tonumber(since) > tonumber(current) then since = '0' end
local reply = {current}
local changed = redis.call('ZRANGEBYSCORE', changes, '(' .. since, '+inf', 'WITHSCORES')
for i = 1, #changed, 2 do
  reply[#reply + 1] = changed[i + 1] .. ' ' .. redis.call('HGET', notes, changed[i])
end
return reply
