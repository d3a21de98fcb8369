-- Move a run to the dead letters and free the thread; `places` is a JSON list. Returns 0 when the
-- lease is lost.
local box, token, generation, dead_letter, places = unpack(ARGV)

if not mailbox.holds(box, token, generation) then return 0 end
local dead_letters = mailbox.key('dead')
redis.call('RPUSH', dead_letters, dead_letter)
redis.call('LTRIM', dead_letters, -1000, -1)
mailbox.pop(box, places)
return 1
