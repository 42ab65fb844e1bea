-- Gives the right to tell about a start, for a while.
-- KEYS: start. ARGV: launch, now, lease (milliseconds), holder.
-- Returns {held by another, fields of the start's hash, or none}.
local f = redis.call('HMGET', KEYS[1], 'launch', 'stage', 'told', 'held_until', 'held_by')
if f[1] ~= ARGV[1] or tonumber(f[3] or 0) >= tonumber(f[2]) then return {0, {}} end
-- The same holder asks again when its first answer was lost on the way.
if tonumber(f[4] or 0) > tonumber(ARGV[2]) and f[5] ~= ARGV[4] then return {1, {}} end
redis.call('HSET', KEYS[1], 'held_until', string.format('%.0f', ARGV[2] + ARGV[3]), 'held_by', ARGV[4])
return {0, redis.call('HGETALL', KEYS[1])}
