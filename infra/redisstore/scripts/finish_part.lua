-- Notes that a part was sent, also where nobody knows any more who began it.
-- What it was first known by stays.
-- KEYS: parts. ARGV: part, what it is known by, keep (milliseconds).
-- Returns the version.
local v = redis.call('HGET', KEYS[1], 'v') or '1'
if v ~= '1' then return v end
redis.call('HSET', KEYS[1], 'v', 1)
redis.call('HSETNX', KEYS[1], 'ref:' .. ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return v
