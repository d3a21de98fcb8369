-- Store the finished turn before it is shown. Returns 0 when the lease is lost.
local box, token, generation, result = unpack(ARGV)

if not mailbox.holds(box, token, generation) then return 0 end
redis.call('HSET', mailbox.key(box, 'lease'), 'answered', result)
return 1
