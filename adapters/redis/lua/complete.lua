-- Erase what is to be erased, commit a turn, pop its run and free the thread. `turn` and `request`
-- are JSON or empty; `files` is a JSON object of photos and videos by their fields, each as JSON
-- text; `places` is a JSON list. Returns 0 when the lease is lost.
local box, token, generation, erase, turn, request, keep_ms, files, places = unpack(ARGV)

if not mailbox.holds(box, token, generation) then return 0 end
local thread = mailbox.thread_of(box)
local turns, photos = mailbox.key(thread, 'turns'), mailbox.key(thread, 'photos')
local last_request, aging = mailbox.key(thread, 'request'), mailbox.key('aging')

if erase ~= 'nothing' then
  redis.call('HINCRBY', mailbox.key(thread, 'state'), 'gen', 1)
  redis.call('DEL', turns, photos, last_request)
  redis.call('ZREM', aging, thread)
  if erase == 'everything' then redis.call('DEL', mailbox.key(thread, 'settings')) end
end

local remembers = turn ~= ''
for field, file in pairs(cjson.decode(files)) do
  redis.call('HSET', photos, field, file)
  remembers = true
end
if turn ~= '' then
  local last = redis.call('ZRANGE', turns, -1, -1, 'WITHSCORES')
  redis.call('ZADD', turns, math.max(mailbox.now(), tonumber(last[2] or 0) + 1), turn)
end
if request ~= '' then redis.call('SET', last_request, request) end
if remembers then redis.call('ZADD', aging, 'NX', mailbox.now(), thread) end
for _, key in ipairs({turns, photos, last_request}) do redis.call('PEXPIRE', key, keep_ms) end
mailbox.pop(box, places)
return 1
