-- Give a lease back, to be taken after a delay; with `counts` 0 it was no attempt. Returns 0 when
-- it is lost.
local box, token, generation, delay_ms, counts = unpack(ARGV)

if not mailbox.holds(box, token, generation) then return 0 end
local lease = mailbox.key(box, 'lease')
redis.call('HDEL', lease, 'owner')
if counts == '0' then redis.call('HINCRBY', lease, 'attempts', -1) end
redis.call('ZADD', mailbox.ready, mailbox.now() + tonumber(delay_ms), box)
if delay_ms == '0' then mailbox.publish(box) end
return 1
