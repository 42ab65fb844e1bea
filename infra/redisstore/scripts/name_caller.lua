-- Notes who began a start, and gives the right to tell it, for a while.
-- KEYS: start. ARGV: launch, caller, the event that says so, now, lease
--   (milliseconds), holder; with an empty caller and nothing more it notes that it
--   has been told.
-- Returns "yours" to the first event, until it is told; "held" while another
-- holder is at it; else "other".
local f = redis.call('HMGET', KEYS[1], 'launch', 'caller', 'named_by', 'naming_until', 'naming')
if f[1] ~= ARGV[1] then return 'other' end
if ARGV[2] == '' then
  redis.call('HSET', KEYS[1], 'named_by', '')
  return 'other'
end
if f[2] and f[3] ~= ARGV[3] then return 'other' end
-- The same holder asks again when its first answer was lost on the way.
if tonumber(f[4] or 0) > tonumber(ARGV[4]) and f[5] ~= ARGV[6] then return 'held' end
redis.call('HSET', KEYS[1], 'caller', ARGV[2], 'named_by', ARGV[3],
  'naming_until', string.format('%.0f', ARGV[4] + ARGV[5]), 'naming', ARGV[6])
return 'yours'
