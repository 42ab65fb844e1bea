-- Says from when on starts are remembered.
-- KEYS: since. ARGV: now, gap (milliseconds, 0 for none). Returns milliseconds.
local f = redis.call('HMGET', KEYS[1], 'since', 'asked')
local since = f[1]
local gap = tonumber(ARGV[2])
if not since or (gap > 0 and tonumber(ARGV[1]) - tonumber(f[2]) > gap) then since = ARGV[1] end
redis.call('HSET', KEYS[1], 'since', since, 'asked', ARGV[1])
return tonumber(since)
