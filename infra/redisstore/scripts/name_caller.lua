-- Notes who began a start, once.
-- KEYS: start. ARGV: launch, caller, the event that says so; an empty caller
-- notes that it has been told. Returns 1 to the first event, until it is told.
local f = redis.call('HMGET', KEYS[1], 'launch', 'caller', 'named_by')
if f[1] ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  redis.call('HSET', KEYS[1], 'named_by', '')
  return 0
end
if f[2] then return f[3] == ARGV[3] and 1 or 0 end
redis.call('HSET', KEYS[1], 'caller', ARGV[2], 'named_by', ARGV[3])
return 1
