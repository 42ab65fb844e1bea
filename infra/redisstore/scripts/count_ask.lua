-- Counts one ask of a person.
-- KEYS: asks. ARGV: window (milliseconds). Returns {count, milliseconds left}.
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}
