-- Puts entries at the end of the trail, if its head is the one that they were
-- linked to.
-- KEYS: log, head, turn. ARGV: seq and hash of that head, hash of the last
--   entry, writer, how long a turn lasts (milliseconds), then id and text of
--   each entry. An id is "<seq>-<the batch's mark>".
-- Returns {word, seq and hash of the head as it is now}. The word is "done";
-- "again": link to that head, it is your turn; or "wait": it is another's.
local last = ARGV[#ARGV - 1]
local head = redis.call('HMGET', KEYS[2], 'seq', 'hash')
local seq, hash = head[1] or '0', head[2] or ''
if not head[1] then -- it was lost: the newest entry knows
  local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  if newest then
    seq = string.match(newest[1], '^%d+')
    hash = string.match(newest[2][2], '"hash":"([^"]*)"') or ''
  end
end
local turn = redis.call('GET', KEYS[3])
local mine = not turn or turn == ARGV[4]

if mine and seq == ARGV[1] and hash == ARGV[2] then
  for n = 6, #ARGV, 2 do redis.call('XADD', KEYS[1], ARGV[n], 'e', ARGV[n + 1]) end
  seq = string.match(last, '^%d+')
  redis.call('HSET', KEYS[2], 'seq', seq, 'hash', ARGV[3])
  redis.call('DEL', KEYS[3])
  return {'done', seq, ARGV[3]}
end
-- This very call, sent twice: there it stands, whatever came after it.
if #redis.call('XRANGE', KEYS[1], last, last) > 0 then return {'done', seq, hash} end
if not mine then return {'wait', seq, hash} end
redis.call('SET', KEYS[3], ARGV[4], 'PX', ARGV[5])
return {'again', seq, hash}
