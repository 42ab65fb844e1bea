-- Counts keys that end against the limit: all of them, or none.
-- KEYS: limit, ended, allowed, held. ARGV: now, day, how long keys are held,
--   keep (milliseconds), 1 where the whole account was looked at, then the
--   keys' ids. Returns 1 when they may end.
local function before(long) return string.format('%.0f', ARGV[1] - long) end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', before(ARGV[2]))
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', before(ARGV[2]))
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', before(ARGV[3]))

local whole, more, count = ARGV[5] == '1', {}, 0
for n = 6, #ARGV do
  local id = ARGV[n]
  if not more[id] and not redis.call('ZSCORE', KEYS[2], id) and not redis.call('ZSCORE', KEYS[3], id) then
    if not whole and redis.call('ZSCORE', KEYS[4], id) then return 0 end
    more[id] = true
    count = count + 1
  end
end
if count == 0 then return 1 end
if redis.call('ZCARD', KEYS[2]) + count > tonumber(redis.call('GET', KEYS[1]) or 1) then return 0 end
for id in pairs(more) do
  redis.call('ZADD', KEYS[2], ARGV[1], id)
  redis.call('ZREM', KEYS[4], id)
end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
