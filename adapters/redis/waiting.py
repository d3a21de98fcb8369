"""The Lua of those who wait: how many are before them, and each send of theirs once.

The form of the scripts is that of `adapters.redis.lua`.
"""

from __future__ import annotations

from adapters.redis.lua import COMMON

# How many slips are before a message that waits for an answer of its own; -1 when it is worked on,
# or will be answered together with a photo before it.
_WAITING = """
local function before(box, seq)
  local last, open = 0, false
  if owner(box) then
    local run = redis.call('HMGET', P .. box .. ':lease', 'last', 'open')
    last, open = tonumber(run[1] or 0), run[2] == '1'
  end
  local stop, head, by = state(box, 'stop'), nil, {}
  for i, raw in ipairs(redis.call('LRANGE', P .. box .. ':slips', 0, -1)) do
    local slip = cjson.decode(raw)
    head = head or slip
    if slip.seq == seq then
      local joining, photo = slip.gathers or slip.joins, by[slip.author]
      local same = slip.author == head.author
      if same and slip.seq <= last and (i == 1 or joining) then return -1 end
      local late = same and not open and photo and photo.seq <= last
      if joining and photo and photo.gathers and photo.seq >= stop and not late then return -1 end
      return i - 1
    end
    if not deletes(slip) then by[slip.author] = slip end
  end
  return -1
end
"""

# ARGV: prefix, box, place
AHEAD = (
    COMMON
    + _WAITING
    + """
return before(ARGV[2], tonumber(ARGV[3]))
"""
)

# ARGV: prefix, box, place, number, token, intent, keep ms
CLAIM = (
    COMMON
    + _WAITING
    + """
local box, sends = ARGV[2], P .. ARGV[2] .. ':sends:' .. ARGV[3]
local known = redis.call('HGET', sends, ARGV[4])
if known then return {'known', known} end
if ARGV[5] == '' then
  if before(box, tonumber(ARGV[3])) < 0 then return {'lost'} end
elseif owner(box) ~= ARGV[5] then
  return {'lost'}
end
redis.call('HSET', sends, ARGV[4], ARGV[6])
redis.call('PEXPIRE', sends, ARGV[7])
return {'claimed'}
"""
)

# ARGV: prefix, box, place, number, token, what became of it, keep ms
RECORD = (
    COMMON
    + """
local box, sends = ARGV[2], P .. ARGV[2] .. ':sends:' .. ARGV[3]
if ARGV[5] ~= '' and owner(box) ~= ARGV[5] then return 0 end
if redis.call('HEXISTS', sends, ARGV[4]) == 1 then
  redis.call('HSET', sends, ARGV[4], ARGV[6])
  redis.call('PEXPIRE', sends, ARGV[7])
end
return 1
"""
)
