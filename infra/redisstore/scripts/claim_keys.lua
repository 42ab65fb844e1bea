-- Counts keys that end against the limit: all of them, or none.
-- KEYS: limit, ended, allowed. ARGV: now, day, keep (milliseconds), then the
--   keys' ids. Returns 1 when they may end.
local past = string.format('%.0f', ARGV[1] - ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', past)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', past)

local more, count = {}, 0
for n = 4, #ARGV do
  local id = ARGV[n]
  if not more[id] and not redis.call('ZSCORE', KEYS[2], id) and not redis.call('ZSCORE', KEYS[3], id) then
    more[id] = true
    count = count + 1
  end
end
if count == 0 then return 1 end
if redis.call('ZCARD', KEYS[2]) + count > tonumber(redis.call('GET', KEYS[1]) or 1) then return 0 end
for id in pairs(more) do redis.call('ZADD', KEYS[2], ARGV[1], id) end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
