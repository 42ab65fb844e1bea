-- Voids the user's live passes of one instance.
-- KEYS: passes. ARGV: user, now. Returns how many were live.
local count = 0
local all = redis.call('HGETALL', KEYS[1])
for n = 1, #all, 2 do
  local owner, rest, ends = string.match(all[n + 1], '^1 live (%S+) (%d+ (%d+) %S+)$')
  if owner == ARGV[1] then
    if tonumber(ends) >= tonumber(ARGV[2]) then count = count + 1 end
    redis.call('HSET', KEYS[1], all[n], '1 voided ' .. owner .. ' ' .. rest)
  end
end
return count
