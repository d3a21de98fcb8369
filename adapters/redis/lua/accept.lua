-- Accept a message once. `post` is its id, `withdraws` the id of the post that it edits or deletes,
-- and `withdrawn_digest` the digest of that post, which is not accepted later. Returns the verdict
-- and the place of the message.
local box, digest, dedup_ms, most_waiting, stops, author, gathers, joins, message, keep_ms,
  post, withdraws, withdrawn_digest = unpack(ARGV)

local thread = mailbox.thread_of(box)
local seen = mailbox.key('seen', digest)
local place = redis.call('GET', seen)
if place then return {'duplicate', tonumber(place)} end

local slips, mail = mailbox.key(box, 'slips'), mailbox.key(box, 'mail')
local state = mailbox.key(thread, 'state')
local deletion = mailbox.is_deletion({post = post, withdraws = withdraws})
if withdraws ~= '' then
  redis.call('SET', mailbox.key('seen', withdrawn_digest), 0, 'PX', dedup_ms, 'NX')
end
if deletion and redis.call('EXISTS', state) == 0 then return {'duplicate', 0} end
local unlimited = stops == '1' or deletion
if not unlimited and redis.call('LLEN', slips) >= tonumber(most_waiting) then
  return {'full', 0}
end

local seq = redis.call('HINCRBY', state, 'seq', 1)
redis.call('SET', seen, seq, 'PX', dedup_ms)
local slip = {
  seq = seq, at = mailbox.now(), author = author, gathers = gathers == '1', joins = joins == '1',
  before = redis.call('LLEN', mailbox.key(thread, 'slips')), post = post, withdraws = withdraws,
}
redis.call('RPUSH', slips, cjson.encode(slip))
redis.call('HSET', mail, seq, message)
for _, key in ipairs({state, slips, mail}) do redis.call('PEXPIRE', key, keep_ms) end
if not redis.call('ZSCORE', mailbox.ready, box) then
  redis.call('ZADD', mailbox.ready, mailbox.now(), box)
end
if withdraws ~= '' then redis.call('HSET', state, 'gone:' .. withdraws, seq) end
if stops == '1' then
  redis.call('HSET', state, 'stop', seq)
  if redis.call('ZSCORE', mailbox.ready, thread) and not mailbox.owner(thread) then
    redis.call('ZADD', mailbox.ready, mailbox.now(), thread)
  end
end
mailbox.publish(box, stops == '1' and seq or 0, withdraws, seq)
return {'accepted', seq}
