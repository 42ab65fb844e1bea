-- Notes how far the telling about a record has come and gives the right back.
-- KEYS: record. ARGV: as in take_telling.lua: field, value, progress field,
--   holder (empty: it never had the right); channel, ts, told, recorded, then
--   the fields to hold against the progress.
-- Returns 1 when there may be something new to tell, -1 when the record is
-- another one or gone.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return -1 end
-- Whoever was away for longer than the lease notes nothing: another has told
-- since. held_by outlives the giving back, so that this call, sent twice, is one.
if (redis.call('HGET', KEYS[1], 'held_by') or '') ~= ARGV[4] then return 1 end
redis.call('HSET', KEYS[1], 'channel', ARGV[5], 'ts', ARGV[6], 'told', ARGV[7], 'recorded', ARGV[8], 'held_until', 0)
local progress = tonumber(redis.call('HGET', KEYS[1], ARGV[3]))
for n = 9, #ARGV do
  if tonumber(redis.call('HGET', KEYS[1], ARGV[n])) < progress then return 1 end
end
return 0
