-- Gives a part back that was begun and not sent.
-- KEYS: parts. ARGV: part, this call's id. Returns the version.
local by, at, call = 'by:' .. ARGV[1], 'at:' .. ARGV[1], 'released:' .. ARGV[1]
local f = redis.call('HMGET', KEYS[1], 'v', by, 'ref:' .. ARGV[1], call)
if f[1] and f[1] ~= '1' then return f[1] end
-- This very call, sent twice: somebody else may have begun it in between.
if f[4] == ARGV[2] then return '1' end
if f[2] and not f[3] then
  redis.call('HDEL', KEYS[1], by, at)
  redis.call('HSET', KEYS[1], call, ARGV[2])
end
return '1'
