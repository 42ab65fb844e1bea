-- Adds one change to a key's record, if the change before it is the newest.
-- The first begins the record.
-- KEYS: record. ARGV: number of the change, the change, id, the record as it
--   is begun, keep (milliseconds).
-- Returns {changed, fields of the record's hash}.
local n = ARGV[1]
local f = redis.call('HMGET', KEYS[1], 'v', 'version', 'change:' .. n)
if f[1] and f[1] ~= '1' then return {0, redis.call('HGETALL', KEYS[1])} end

local changed = 0
if tonumber(f[2] or 0) == n - 1 then
  changed = 1
  if n == '1' then
    redis.call('HSET', KEYS[1], 'v', 1, 'id', ARGV[3], 'record', ARGV[4], 'told', 0, 'recorded', 0)
  end
  redis.call('HSET', KEYS[1], 'version', n, 'change:' .. n, ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
elseif f[3] == ARGV[2] then
  changed = 1 -- this very call, sent twice
end
return {changed, redis.call('HGETALL', KEYS[1])}
