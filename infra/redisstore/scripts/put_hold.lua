-- Stores what waits for somebody's word, if nothing of that id does.
-- KEYS: hold. ARGV: the hold, its keys' ids with blanks between, keep
--   (milliseconds). Returns the fields of the hold's hash.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'v', 1, 'hold', ARGV[1], 'keys', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return redis.call('HGETALL', KEYS[1])
