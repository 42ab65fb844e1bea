-- Lets a hold's keys end beyond the limit, if nobody has let them before.
-- KEYS: hold, allowed. ARGV: user, this call's id, now, keep (milliseconds).
-- Returns {won, fields of the hold's hash}; without fields there is none.
local f = redis.call('HMGET', KEYS[1], 'v', 'keys', 'by', 'call')
local won = 0
if f[1] == '1' and not f[3] then
  won = 1
  redis.call('HSET', KEYS[1], 'by', ARGV[1], 'call', ARGV[2])
  for id in string.gmatch(f[2], '%S+') do redis.call('ZADD', KEYS[2], ARGV[3], id) end
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
elseif f[4] == ARGV[2] then
  won = 1 -- this very call, sent twice
end
return {won, redis.call('HGETALL', KEYS[1])}
