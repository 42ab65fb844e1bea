-- Stores what waits for somebody's word, if nothing of that id does, and holds
-- its keys.
-- KEYS: hold, held. ARGV: the hold, its keys' ids with blanks between, when it
--   began, keep (milliseconds). Returns the fields of the hold's hash.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'v', 1, 'hold', ARGV[1], 'keys', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  for id in string.gmatch(ARGV[2], '%S+') do redis.call('ZADD', KEYS[2], ARGV[3], id) end
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
return redis.call('HGETALL', KEYS[1])
