-- Notes what has been told about a start and gives the right back.
-- KEYS: start. ARGV: launch, channel, ts, told.
-- Returns 1 when the start has moved on since.
if redis.call('HGET', KEYS[1], 'launch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'channel', ARGV[2], 'ts', ARGV[3], 'told', ARGV[4], 'held_until', 0)
if tonumber(redis.call('HGET', KEYS[1], 'stage')) > tonumber(ARGV[4]) then return 1 end
return 0
