-- Lease the box of the lane that is ready first. Returns nothing where no box waits, the
-- milliseconds until one is ready, or a lease with its run.
local token, lease_ms, burst_ms, longest_burst_ms = unpack(ARGV)

local first = redis.call('ZRANGE', mailbox.ready, 0, 0, 'WITHSCORES')
if not first[1] then return {} end
local box, wait_ms = first[1], tonumber(first[2]) - mailbox.now()
if wait_ms > 0 then return {wait_ms} end

local lease = mailbox.key(box, 'lease')
local run, settle_ms = mailbox.run_of(box, tonumber(burst_ms), tonumber(longest_burst_ms))
if #run == 0 then
  redis.call('ZREM', mailbox.ready, box)
  redis.call('DEL', lease)
  return {0}
end
redis.call('HSET', lease, 'owner', token)
redis.call('HINCRBY', lease, 'attempts', 1)
redis.call('ZADD', mailbox.ready, mailbox.now() + tonumber(lease_ms), box)
return mailbox.lease_reply(box, run, settle_ms)
