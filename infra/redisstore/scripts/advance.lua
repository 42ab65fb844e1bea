-- Moves a start on to a higher stage.
-- KEYS: start. ARGV: launch, stage, note, now.
-- Returns {moved, fields of the start's hash}; the fields are empty when the
-- instance has been started again since.
if redis.call('HGET', KEYS[1], 'launch') ~= ARGV[1] then return {0, {}} end
local moved = 0
if tonumber(redis.call('HGET', KEYS[1], 'stage')) < tonumber(ARGV[2]) then
  moved = 1
  redis.call('HSET', KEYS[1], 'stage', ARGV[2], 'stage_at', ARGV[4])
  if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'note', ARGV[3]) end
end
return {moved, redis.call('HGETALL', KEYS[1])}
