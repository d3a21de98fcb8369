-- Forget the turns that a post led to, and the photos and videos that only it brought; `post_json`
-- is the id of the post as JSON. Returns "held" and the digests of files that nothing names any
-- more, or "lost".
--
-- A thread may hold hundreds of turns of some kilobytes each, so a turn is decoded only if its text
-- contains the id. Text within a JSON string cannot pass for a field, because its quotes are
-- escaped.
local box, token, generation, post_json = unpack(ARGV)

if not mailbox.holds(box, token, generation) then return {'lost'} end
local thread, post = mailbox.thread_of(box), cjson.decode('[' .. post_json .. ']')[1]
local turns, photos = mailbox.key(thread, 'turns'), mailbox.key(thread, 'photos')

local function contains(text, part)
  return string.find(text, part, 1, true) ~= nil
end

local function asks(raw)
  if not contains(raw, post_json) then return false end
  for _, id in ipairs(cjson.decode(raw).messages or {}) do
    if id == post then return true end
  end
  return false
end

-- Add the numbers in a list of a turn to a set, as the fields that files have in `photos`. The name
-- of the list is looked for without a pattern, which is several times as fast.
local function add_numbers(fields, raw, list, letter)
  local name = '"' .. list .. '"'
  local start, stop = string.find(raw, name, 1, true)
  while start do
    local numbers = string.match(raw, '^%s*:%s*%[([%d%s,]*)%]', stop + 1) or ''
    for number in string.gmatch(numbers, '%d+') do fields[letter .. number] = true end
    start, stop = string.find(raw, name, stop + 1, true)
  end
end

local brought, others = {}, {}
local entries = redis.call('HGETALL', photos)
for i = 1, #entries, 2 do
  local file = contains(entries[i + 1], post_json) and cjson.decode(entries[i + 1])
  if file and file.message == post then
    brought[entries[i]] = file.sha256
  else
    others[#others + 1] = entries[i + 1]
  end
end

local used, removed = {}, 0
for _, raw in ipairs(redis.call('ZRANGE', turns, 0, -1)) do
  if asks(raw) then
    removed = removed + redis.call('ZREM', turns, raw)
  elseif next(brought) then
    add_numbers(used, raw, 'photos', '')
    add_numbers(used, raw, 'videos', 'V')
  end
end

local digests, kept = {}, {}
for field, digest in pairs(brought) do
  if used[field] then
    kept[digest] = true
  else
    redis.call('HDEL', photos, field)
    digests[digest] = true
  end
end
for _, raw in ipairs(others) do
  for digest in pairs(digests) do
    if contains(raw, digest) then kept[cjson.decode(raw).sha256] = true end
  end
end

if removed > 0 then redis.call('DEL', mailbox.key(thread, 'request')) end
local reply = {'held'}
for digest in pairs(digests) do
  if not kept[digest] then reply[#reply + 1] = digest end
end
return reply
