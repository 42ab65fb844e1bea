-- Gives the right to tell about a record, for a while.
-- KEYS: record. ARGV: field and value by which the record is known, field that
--   counts its progress, now, lease (milliseconds), holder, then the fields
--   that note how far the telling has come.
-- Returns {"other"} when the record is another one or gone, {"nothing"} when
-- there is nothing to tell, {"held"}, or {"yours", fields of the hash}.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return {'other'} end
local progress, new = tonumber(redis.call('HGET', KEYS[1], ARGV[3])), false
for n = 7, #ARGV do
  if tonumber(redis.call('HGET', KEYS[1], ARGV[n]) or 0) < progress then new = true end
end
if not new then return {'nothing'} end
-- The same holder asks again when its first answer was lost on the way.
local held = redis.call('HMGET', KEYS[1], 'held_until', 'held_by')
if tonumber(held[1] or 0) > tonumber(ARGV[4]) and held[2] ~= ARGV[6] then return {'held'} end
redis.call('HSET', KEYS[1], 'held_until', string.format('%.0f', ARGV[4] + ARGV[5]), 'held_by', ARGV[6])
return {'yours', redis.call('HGETALL', KEYS[1])}
