-- Store the intent of a numbered send, with a token while the lease is held, else while the message
-- waits. Returns "claimed", "known" with what is recorded of the send already, or "lost".
local box, seq, number, token, intent, keep_ms = unpack(ARGV)

local sends = mailbox.key(box, 'sends', seq)
local record = redis.call('HGET', sends, number)
if record then return {'known', record} end
if token == '' then
  if mailbox.count_ahead(box, tonumber(seq)) < 0 then return {'lost'} end
elseif mailbox.owner(box) ~= token then
  return {'lost'}
end
redis.call('HSET', sends, number, intent)
redis.call('PEXPIRE', sends, keep_ms)
return {'claimed'}
