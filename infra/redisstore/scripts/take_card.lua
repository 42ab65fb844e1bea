-- Gives the right to tell about a start, for a while.
-- KEYS: start. ARGV: launch, now, lease (milliseconds).
-- Returns the fields of the start's hash, or none.
local f = redis.call('HMGET', KEYS[1], 'launch', 'stage', 'told', 'held_until')
if f[1] ~= ARGV[1] then return {} end
if tonumber(f[3] or 0) >= tonumber(f[2]) or tonumber(f[4] or 0) > tonumber(ARGV[2]) then return {} end
redis.call('HSET', KEYS[1], 'held_until', string.format('%.0f', ARGV[2] + ARGV[3]))
return redis.call('HGETALL', KEYS[1])
