-- Record what became of a send, unless its message is done. Returns 0 when the lease of a token is
-- lost.
local box, seq, number, token, record, keep_ms = unpack(ARGV)

local sends = mailbox.key(box, 'sends', seq)
if token ~= '' and mailbox.owner(box) ~= token then return 0 end
if redis.call('HEXISTS', sends, number) == 1 then
  redis.call('HSET', sends, number, record)
  redis.call('PEXPIRE', sends, keep_ms)
end
return 1
