-- Adds one change to a request, if the change before it is the newest.
-- KEYS: request, asking. ARGV: number of the change, the change, id, asker,
--   lapses (empty when the request is not open any more), keep (milliseconds).
-- Returns {changed, fields of the request's hash}.
local n, id, asker = ARGV[1], ARGV[3], ARGV[4]
local f = redis.call('HMGET', KEYS[1], 'v', 'version', 'change:' .. n)
if f[1] ~= '1' then return {0, redis.call('HGETALL', KEYS[1])} end

local changed = 0
if tonumber(f[2]) == n - 1 then
  changed = 1
  redis.call('HSET', KEYS[1], 'version', n, 'change:' .. n, ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[6])
  local asking = redis.call('HGET', KEYS[2], asker) or ''
  if string.sub(asking, 1, #id + 1) == id .. ' ' then -- else a newer request of the asker stands there
    if ARGV[5] == '' then
      redis.call('HDEL', KEYS[2], asker)
    else
      redis.call('HSET', KEYS[2], asker, id .. ' ' .. ARGV[5])
      redis.call('PEXPIRE', KEYS[2], ARGV[6])
    end
  end
elseif f[3] == ARGV[2] then
  changed = 1 -- this very call, sent twice
end
return {changed, redis.call('HGETALL', KEYS[1])}
