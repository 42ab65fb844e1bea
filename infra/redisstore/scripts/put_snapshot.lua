-- Keeps a report, unless there is one of its time, and lets older ones go.
-- KEYS: texts. ARGV: end of its period, text, how many to keep, for how
--   long (times in milliseconds).
-- Returns {version, the text that was there}; without that, this one was put.
local to, text, keep, long = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local f = redis.call('HMGET', KEYS[1], 'v', to)
if f[1] and f[1] ~= '1' then return {f[1]} end
if f[2] then return {'1', f[2]} end -- also this very call, sent twice

redis.call('HSET', KEYS[1], 'v', 1, to, text)
local ends = {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if field ~= 'v' then ends[#ends + 1] = tonumber(field) end
end
table.sort(ends)
for n, old in ipairs(ends) do
  if n <= #ends - keep or old <= to - long then redis.call('HDEL', KEYS[1], string.format('%.0f', old)) end
end
redis.call('PEXPIRE', KEYS[1], long)
return {'1'}
