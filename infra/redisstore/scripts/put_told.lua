-- Notes how far the telling about a record has come and gives the right back.
-- KEYS: record. ARGV: as in take_telling.lua: field, value, progress field;
--   channel, ts, told, recorded, then the fields to hold against the progress.
-- Returns 1 when there is something new to tell, -1 when the record is another
-- one or gone.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return -1 end
redis.call('HSET', KEYS[1], 'channel', ARGV[4], 'ts', ARGV[5], 'told', ARGV[6], 'recorded', ARGV[7], 'held_until', 0)
local progress = tonumber(redis.call('HGET', KEYS[1], ARGV[3]))
for n = 8, #ARGV do
  if tonumber(redis.call('HGET', KEYS[1], ARGV[n])) < progress then return 1 end
end
return 0
