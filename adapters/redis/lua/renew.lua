-- Hold a lease for another term. Returns 1, the place up to which the user stopped, and the places
-- of the run that were withdrawn; {0, 0} when the lease is lost.
local box, token, generation, lease_ms = unpack(ARGV)

if not mailbox.holds(box, token, generation) then return {0, 0} end
redis.call('ZADD', mailbox.ready, mailbox.now() + tonumber(lease_ms), box)
local reply = {1, mailbox.state(box, 'stop')}
local last = tonumber(redis.call('HGET', mailbox.key(box, 'lease'), 'last') or 0)
local slips = redis.call('LRANGE', mailbox.key(box, 'slips'), 0, mailbox.most_in_run - 1)
for _, raw in ipairs(slips) do
  local slip = cjson.decode(raw)
  if slip.seq > last then break end
  if mailbox.is_withdrawn(box, slip) then reply[#reply + 1] = slip.seq end
end
return reply
