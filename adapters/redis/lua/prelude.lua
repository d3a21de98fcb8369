-- What the scripts of the mailbox share; it is put before each of them. Every script is one atomic
-- step, timed by the server's clock.
--
-- The key "ready" of a lane routes a script to its slot; the names of the lane's other keys, which
-- `adapters/redis/keys.py` describes, begin like it.
local ready = unpack(KEYS)
local mailbox = {ready = ready, most_in_run = 200}

local prefix = string.sub(ready, 1, -1 - #'ready')
local news = string.match(ready, '^[^:]+') .. ':news'

-- The name of a key of the lane, or of one of its threads or boxes: `key(box, 'slips')`.
function mailbox.key(...)
  return prefix .. table.concat({...}, ':')
end

-- Milliseconds since the epoch.
function mailbox.now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

function mailbox.thread_of(box)
  return (string.gsub(box, '!$', ''))
end

-- A number in the state of a box's thread; 0 where it is not set.
function mailbox.state(box, field)
  local thread = mailbox.thread_of(box)
  return tonumber(redis.call('HGET', mailbox.key(thread, 'state'), field) or 0)
end

-- Whether a slip says that a post was deleted.
function mailbox.is_deletion(slip)
  return slip.post == '' and slip.withdraws ~= ''
end

-- Whether the post of a slip was deleted or edited by what came after it.
function mailbox.is_withdrawn(box, slip)
  return (slip.post or '') ~= '' and mailbox.state(box, 'gone:' .. slip.post) > slip.seq
end

function mailbox.owner(box)
  return redis.call('HGET', mailbox.key(box, 'lease'), 'owner')
end

-- Whether a lease is held still: by this token, and in the generation that it was taken in.
function mailbox.holds(box, token, generation)
  return mailbox.owner(box) == token and mailbox.state(box, 'gen') == tonumber(generation)
end

function mailbox.publish(box, stop, withdrawn, place)
  local event = {box = box, stop = stop or 0, withdrawn = withdrawn or '', place = place or 0}
  redis.call('PUBLISH', news, cjson.encode(event))
end

-- The messages to answer as one turn: the head, and when it is a picture without words, what the
-- same author sends after it, up to words or a command of theirs; a deletion ends no run. Returns
-- the slips, and the milliseconds to wait for more (0 when the run is whole).
function mailbox.run_of(box, burst_ms, longest_ms)
  local slips = redis.call('LRANGE', mailbox.key(box, 'slips'), 0, mailbox.most_in_run - 1)
  local run = {}
  local stop = mailbox.state(box, 'stop')
  local whole = true
  for i, raw in ipairs(slips) do
    local slip = cjson.decode(raw)
    if i == 1 then
      run[1] = slip
      whole = not slip.gathers or slip.seq < stop
      if whole then break end
    elseif slip.author == run[1].author and not mailbox.is_deletion(slip) then
      if slip.gathers or slip.joins then run[#run + 1] = slip end
      if not slip.gathers then
        whole = true
        break
      end
    end
  end
  if #run == 0 or whole then return run, 0 end
  local due = math.min(run[#run].at + burst_ms, run[1].at + longest_ms)
  return run, math.max(0, due - mailbox.now())
end

-- A lease with its run, as `_lease` in `adapters/redis/mailbox.py` reads it.
function mailbox.lease_reply(box, run, wait_ms)
  local lease = mailbox.key(box, 'lease')
  redis.call('HSET', lease, 'last', run[#run].seq, 'open', wait_ms > 0 and 1 or 0)
  local reply = {
    box, mailbox.state(box, 'gen'), mailbox.state(box, 'stop'), wait_ms,
    redis.call('HGET', lease, 'attempts') or '0', redis.call('HGET', lease, 'answered') or '',
  }
  for _, slip in ipairs(run) do
    reply[#reply + 1] = tostring(slip.seq)
    reply[#reply + 1] = tostring(slip.at)
    reply[#reply + 1] = tostring(slip.before)
    reply[#reply + 1] = mailbox.is_withdrawn(box, slip) and 1 or 0
    reply[#reply + 1] = redis.call('HGET', mailbox.key(box, 'mail'), tostring(slip.seq)) or ''
  end
  return reply
end

-- Remove messages, given as a JSON list of their places, and free the box.
function mailbox.pop(box, places)
  local removed = {}
  for _, seq in ipairs(cjson.decode(places)) do removed[seq] = true end
  local slips = mailbox.key(box, 'slips')
  for _, raw in ipairs(redis.call('LRANGE', slips, 0, 2 * mailbox.most_in_run - 1)) do
    local slip = cjson.decode(raw)
    if removed[slip.seq] then
      local mark = 'gone:' .. (slip.withdraws or '')
      if mailbox.state(box, mark) == slip.seq then
        redis.call('HDEL', mailbox.key(mailbox.thread_of(box), 'state'), mark)
      end
      redis.call('LREM', slips, 1, raw)
      redis.call('HDEL', mailbox.key(box, 'mail'), tostring(slip.seq))
      redis.call('DEL', mailbox.key(box, 'sends', tostring(slip.seq)))
    end
  end
  redis.call('DEL', mailbox.key(box, 'lease'))
  if redis.call('LLEN', slips) > 0 then
    redis.call('ZADD', ready, mailbox.now(), box)
    mailbox.publish(box)
  else
    redis.call('ZREM', ready, box)
  end
end

-- How many slips are before a message that waits for an answer of its own; -1 when it is worked on,
-- or will be answered together with a photo before it.
function mailbox.count_ahead(box, seq)
  local last, open = 0, false
  if mailbox.owner(box) then
    local run = redis.call('HMGET', mailbox.key(box, 'lease'), 'last', 'open')
    last, open = tonumber(run[1] or 0), run[2] == '1'
  end
  local stop, head, latest = mailbox.state(box, 'stop'), nil, {}
  for i, raw in ipairs(redis.call('LRANGE', mailbox.key(box, 'slips'), 0, -1)) do
    local slip = cjson.decode(raw)
    head = head or slip
    if slip.seq == seq then
      local joining, photo = slip.gathers or slip.joins, latest[slip.author]
      local same = slip.author == head.author
      if same and slip.seq <= last and (i == 1 or joining) then return -1 end
      local late = same and not open and photo and photo.seq <= last
      if joining and photo and photo.gathers and photo.seq >= stop and not late then return -1 end
      return i - 1
    end
    if not mailbox.is_deletion(slip) then latest[slip.author] = slip end
  end
  return -1
end

