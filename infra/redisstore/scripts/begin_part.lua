-- Claims a part of a delivery, if nobody has.
-- KEYS: parts. ARGV: part, worker, now, keep (milliseconds).
-- Returns {version, who began it, when, what it is known by}; without the last
-- it was not sent.
local by, at = 'by:' .. ARGV[1], 'at:' .. ARGV[1]
local f = redis.call('HMGET', KEYS[1], 'v', by, at, 'ref:' .. ARGV[1])
if f[1] and f[1] ~= '1' then return {f[1]} end

local worker, begun, ref = f[2], f[3], f[4]
if not worker and not ref then
  worker, begun = ARGV[2], ARGV[3]
  redis.call('HSET', KEYS[1], 'v', 1, by, worker, at, begun)
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return {'1', worker or '', begun or '', ref}
