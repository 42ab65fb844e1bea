-- Finds the newest report from before a time.
-- KEYS: texts. ARGV: the time (milliseconds).
-- Returns {version, end of its period, text}; without the last two there is none.
local v = redis.call('HGET', KEYS[1], 'v') or '1'
local newest
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local to = tonumber(field)
  if to and to < tonumber(ARGV[1]) and (not newest or to > newest) then newest = to end
end
if not newest then return {v} end
local to = string.format('%.0f', newest)
return {v, to, redis.call('HGET', KEYS[1], to)}
