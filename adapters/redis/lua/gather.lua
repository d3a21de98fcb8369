-- Read the run of a lease again, with what has come since. Returns nothing when it is lost.
local box, token, generation, burst_ms, longest_burst_ms = unpack(ARGV)

if not mailbox.holds(box, token, generation) then return {} end
local run, settle_ms = mailbox.run_of(box, tonumber(burst_ms), tonumber(longest_burst_ms))
return mailbox.lease_reply(box, run, settle_ms)
