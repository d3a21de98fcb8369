"""The mailbox's Lua: each script is one atomic step, timed by the server's clock.

`KEYS[1]` is the lane's `ready` set and routes the script; the other keys are built from the
lane's prefix in `ARGV[1]` (see `adapters.redis.keys`).
"""

from __future__ import annotations

from adapters.redis import keys

COMMON = (
    f"local NEWS = '{keys.NEWS}'"
    + """
local P = ARGV[1]
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function thread_of(box) return (string.gsub(box, '!$', '')) end
local function state(box, field)
  return tonumber(redis.call('HGET', P .. thread_of(box) .. ':state', field) or 0)
end
local function deletes(slip) return slip.post == '' and slip.withdraws ~= '' end
local function owner(box) return redis.call('HGET', P .. box .. ':lease', 'owner') end
local function tell(box, stop, withdrawn, place)
  local news = {box = box, stop = stop or 0, withdrawn = withdrawn or '', place = place or 0}
  redis.call('PUBLISH', NEWS, cjson.encode(news))
end
local function withdrawn(box, slip)
  return (slip.post or '') ~= '' and state(box, 'gone:' .. slip.post) > slip.seq
end
local function holds(box, token, generation)
  return owner(box) == token and state(box, 'gen') == tonumber(generation)
end
"""
)

# The messages to answer as one turn: the head, and when it is a picture without words, what the
# same author sends after it, up to words or a command of theirs; that something was deleted ends no
# run. Returns the slips, and the milliseconds to wait for more (0 when the run is whole).
_RUN = """
local function run_of(box, burst, longest)
  local slips = redis.call('LRANGE', P .. box .. ':slips', 0, 199)
  local run = {}
  local stop = state(box, 'stop')
  local whole = true
  for i, raw in ipairs(slips) do
    local slip = cjson.decode(raw)
    if i == 1 then
      run[1] = slip
      whole = not slip.gathers or slip.seq < stop
      if whole then break end
    elseif slip.author == run[1].author and not deletes(slip) then
      if slip.gathers or slip.joins then run[#run + 1] = slip end
      if not slip.gathers then whole = true break end
    end
  end
  if #run == 0 or whole then return run, 0 end
  local due = math.min(run[#run].at + burst, run[1].at + longest)
  return run, math.max(0, due - now())
end
local function reply_of(box, run, settle)
  redis.call('HSET', P .. box .. ':lease', 'last', run[#run].seq, 'open', settle > 0 and 1 or 0)
  local out = {box, state(box, 'gen'), state(box, 'stop'), settle,
    redis.call('HGET', P .. box .. ':lease', 'attempts') or '0',
    redis.call('HGET', P .. box .. ':lease', 'answered') or ''}
  for _, slip in ipairs(run) do
    out[#out + 1] = tostring(slip.seq)
    out[#out + 1] = tostring(slip.at)
    out[#out + 1] = tostring(slip.before)
    out[#out + 1] = withdrawn(box, slip) and 1 or 0
    out[#out + 1] = redis.call('HGET', P .. box .. ':mail', tostring(slip.seq)) or ''
  end
  return out
end
"""

_POP = """
local function pop(box, first, last)
  local gone = {}
  for i = first, last do gone[ARGV[i]] = true end
  for _, raw in ipairs(redis.call('LRANGE', P .. box .. ':slips', 0, 399)) do
    local slip = cjson.decode(raw)
    local seq = tostring(slip.seq)
    if gone[seq] then
      local mark = 'gone:' .. (slip.withdraws or '')
      if state(box, mark) == slip.seq then
        redis.call('HDEL', P .. thread_of(box) .. ':state', mark)
      end
      redis.call('LREM', P .. box .. ':slips', 1, raw)
      redis.call('HDEL', P .. box .. ':mail', seq)
      redis.call('DEL', P .. box .. ':sends:' .. seq)
    end
  end
  redis.call('DEL', P .. box .. ':lease')
  if redis.call('LLEN', P .. box .. ':slips') > 0 then
    redis.call('ZADD', KEYS[1], now(), box)
    tell(box)
  else
    redis.call('ZREM', KEYS[1], box)
  end
end
"""

# ARGV: prefix, box, digest, dedup ms, cap, stops, author, gathers, joins, message, keep ms, id of
#       the post, id of the post that is withdrawn, its digest, so that it is not accepted later
ACCEPT = (
    COMMON
    + """
local box, digest, stops = ARGV[2], ARGV[3], ARGV[6] == '1'
local thread = thread_of(box)
local seen = P .. 'seen:' .. digest
local place = redis.call('GET', seen)
if place then return {'duplicate', tonumber(place)} end
local slips = P .. box .. ':slips'
local st = P .. thread .. ':state'
local deletion = deletes({post = ARGV[12], withdraws = ARGV[13]})
if ARGV[13] ~= '' then
  redis.call('SET', P .. 'seen:' .. ARGV[14], 0, 'PX', ARGV[4], 'NX')
end
if deletion and redis.call('EXISTS', st) == 0 then return {'duplicate', 0} end
local free = stops or deletion
if not free and redis.call('LLEN', slips) >= tonumber(ARGV[5]) then return {'full', 0} end
local seq = redis.call('HINCRBY', st, 'seq', 1)
redis.call('SET', seen, seq, 'PX', ARGV[4])
local slip = {seq = seq, at = now(), author = ARGV[7], gathers = ARGV[8] == '1',
  joins = ARGV[9] == '1', before = redis.call('LLEN', P .. thread .. ':slips'),
  post = ARGV[12], withdraws = ARGV[13]}
redis.call('RPUSH', slips, cjson.encode(slip))
redis.call('HSET', P .. box .. ':mail', seq, ARGV[10])
for _, key in ipairs({st, slips, P .. box .. ':mail'}) do redis.call('PEXPIRE', key, ARGV[11]) end
if not redis.call('ZSCORE', KEYS[1], box) then redis.call('ZADD', KEYS[1], now(), box) end
if ARGV[13] ~= '' then
  redis.call('HSET', st, 'gone:' .. ARGV[13], seq)
end
if stops then
  redis.call('HSET', st, 'stop', seq)
  if redis.call('ZSCORE', KEYS[1], thread) and not owner(thread) then
    redis.call('ZADD', KEYS[1], now(), thread)
  end
end
tell(box, stops and seq or 0, ARGV[13], seq)
return {'accepted', seq}
"""
)

# ARGV: prefix, token, lease ms, burst ms, longest burst ms
TAKE = (
    COMMON
    + _RUN
    + """
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if not first[1] then return {} end
local box, wait = first[1], tonumber(first[2]) - now()
if wait > 0 then return {wait} end
local run, settle = run_of(box, tonumber(ARGV[4]), tonumber(ARGV[5]))
if #run == 0 then
  redis.call('ZREM', KEYS[1], box)
  redis.call('DEL', P .. box .. ':lease')
  return {0}
end
redis.call('HSET', P .. box .. ':lease', 'owner', ARGV[2])
redis.call('HINCRBY', P .. box .. ':lease', 'attempts', 1)
redis.call('ZADD', KEYS[1], now() + tonumber(ARGV[3]), box)
return reply_of(box, run, settle)
"""
)

# ARGV: prefix, box, token, generation, burst ms, longest burst ms
GATHER = (
    COMMON
    + _RUN
    + """
local box = ARGV[2]
if not holds(box, ARGV[3], ARGV[4]) then return {} end
local run, settle = run_of(box, tonumber(ARGV[5]), tonumber(ARGV[6]))
return reply_of(box, run, settle)
"""
)

# ARGV: prefix, box, token, generation, lease ms
RENEW = (
    COMMON
    + """
local box = ARGV[2]
if not holds(box, ARGV[3], ARGV[4]) then return {0, 0} end
redis.call('ZADD', KEYS[1], now() + tonumber(ARGV[5]), box)
local out = {1, state(box, 'stop')}
local last = tonumber(redis.call('HGET', P .. box .. ':lease', 'last') or 0)
for _, raw in ipairs(redis.call('LRANGE', P .. box .. ':slips', 0, 199)) do
  local slip = cjson.decode(raw)
  if slip.seq > last then break end
  if withdrawn(box, slip) then out[#out + 1] = slip.seq end
end
return out
"""
)

# ARGV: prefix, box, token, generation, finished turn
ANSWERED = (
    COMMON
    + """
if not holds(ARGV[2], ARGV[3], ARGV[4]) then return 0 end
redis.call('HSET', P .. ARGV[2] .. ':lease', 'answered', ARGV[5])
return 1
"""
)

# ARGV: prefix, box, token, generation, erase, turn, request, keep ms, number of photos,
#       (number, photo)..., places to pop...
DONE = (
    COMMON
    + _POP
    + """
local box, erase = ARGV[2], ARGV[5]
if not holds(box, ARGV[3], ARGV[4]) then return 0 end
local T = P .. thread_of(box)
local aging = P .. 'aging'
if erase ~= 'nothing' then
  redis.call('HINCRBY', T .. ':state', 'gen', 1)
  redis.call('DEL', T .. ':turns', T .. ':photos', T .. ':request')
  redis.call('ZREM', aging, thread_of(box))
  if erase == 'everything' then redis.call('DEL', T .. ':settings') end
end
local count = tonumber(ARGV[9])
for i = 10, 9 + 2 * count, 2 do redis.call('HSET', T .. ':photos', ARGV[i], ARGV[i + 1]) end
if ARGV[6] ~= '' then
  local last = redis.call('ZRANGE', T .. ':turns', -1, -1, 'WITHSCORES')
  local score = math.max(now(), tonumber(last[2] or 0) + 1)
  redis.call('ZADD', T .. ':turns', score, ARGV[6])
end
if ARGV[7] ~= '' then redis.call('SET', T .. ':request', ARGV[7]) end
if count > 0 or ARGV[6] ~= '' then redis.call('ZADD', aging, 'NX', now(), thread_of(box)) end
for _, name in ipairs({':turns', ':photos', ':request'}) do
  redis.call('PEXPIRE', T .. name, ARGV[8])
end
pop(box, 10 + 2 * count, #ARGV)
return 1
"""
)

# ARGV: prefix, box, token, generation, id of a post. Returns the digests of the files that nothing
# names any more.
RETRACT = (
    COMMON
    + """
if not holds(ARGV[2], ARGV[3], ARGV[4]) then return {'lost'} end
local T, post = P .. thread_of(ARGV[2]), ARGV[5]
local used, removed = {}, 0
for _, raw in ipairs(redis.call('ZRANGE', T .. ':turns', 0, -1)) do
  local turn, asked = cjson.decode(raw), false
  for _, id in ipairs(turn.messages or {}) do asked = asked or id == post end
  if asked then
    removed = removed + redis.call('ZREM', T .. ':turns', raw)
  else
    for _, number in ipairs(turn.photos or {}) do used[tostring(number)] = true end
    for _, number in ipairs(turn.videos or {}) do used['V' .. number] = true end
  end
end
local gone, kept = {}, {}
local entries = redis.call('HGETALL', T .. ':photos')
for i = 1, #entries, 2 do
  local file = cjson.decode(entries[i + 1])
  local forgotten = file.message == post and not used[entries[i]]
  if forgotten then redis.call('HDEL', T .. ':photos', entries[i]) end
  local names = forgotten and gone or kept
  names[file.sha256] = true
end
if removed > 0 then redis.call('DEL', T .. ':request') end
local out = {'held'}
for digest in pairs(gone) do
  if not kept[digest] then out[#out + 1] = digest end
end
return out
"""
)

# ARGV: prefix, box, token, generation, delay ms, counts
AGAIN = (
    COMMON
    + """
local box = ARGV[2]
if not holds(box, ARGV[3], ARGV[4]) then return 0 end
redis.call('HDEL', P .. box .. ':lease', 'owner')
if ARGV[6] == '0' then redis.call('HINCRBY', P .. box .. ':lease', 'attempts', -1) end
redis.call('ZADD', KEYS[1], now() + tonumber(ARGV[5]), box)
if ARGV[5] == '0' then tell(box) end
return 1
"""
)

# ARGV: prefix, box, token, generation, dead letter, places to pop...
BURY = (
    COMMON
    + _POP
    + """
local box = ARGV[2]
if not holds(box, ARGV[3], ARGV[4]) then return 0 end
redis.call('RPUSH', P .. 'dead', ARGV[5])
redis.call('LTRIM', P .. 'dead', -1000, -1)
pop(box, 6, #ARGV)
return 1
"""
)

# ARGV: prefix, thread, cutoff ms
PRUNE = (
    COMMON
    + """
local T, cutoff = P .. ARGV[2], tonumber(ARGV[3])
local gone = redis.call('ZREMRANGEBYSCORE', T .. ':turns', '-inf', cutoff)
local first = redis.call('ZRANGE', T .. ':turns', 0, 0, 'WITHSCORES')
local oldest = tonumber(first[2] or 0)
local entries = redis.call('HGETALL', T .. ':photos')
for i = 1, #entries, 2 do
  local at = (cjson.decode(entries[i + 1]).at or 0) * 1000
  if at <= cutoff then
    redis.call('HDEL', T .. ':photos', entries[i])
  elseif oldest == 0 or at < oldest then
    oldest = at
  end
end
if gone > 0 then redis.call('DEL', T .. ':request') end
if oldest == 0 then redis.call('ZREM', P .. 'aging', ARGV[2])
else redis.call('ZADD', P .. 'aging', oldest, ARGV[2]) end
return gone
"""
)
