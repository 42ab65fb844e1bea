-- Stores a pass and voids the live ones of its user, in one step.
-- KEYS: passes, lock. ARGV: id, user, request ("-": none), now, deadline, instead,
--   limit, window, keep (the last two and all times in milliseconds).
-- Returns {"ok", deadline} or {reason, milliseconds to wait}.
local id, user, request = ARGV[1], ARGV[2], ARGV[3]
local now, deadline, instead = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local limit, window, keep = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])

local locked = redis.call('PTTL', KEYS[2])
if locked > 0 then return {'locked', locked} end

local live, recent, oldest, inherited = {}, 0, now, nil
local all = redis.call('HGETALL', KEYS[1])
for n = 1, #all, 2 do
  local state, owner, issued, ends, asked = string.match(all[n + 1], '^1 (%a+) (%S+) (%d+) (%d+) (%S+)$')
  if state then
    issued, ends = tonumber(issued), tonumber(ends)
    if all[n] == id then return {'ok', ends} end -- this very call, sent twice
    -- A pass that is put into another's place may be of the same request as that
    -- one, and as those whose places it took before.
    local before = instead ~= '' and (state == 'voided' or all[n] == instead)
    if asked == request and request ~= '-' and not before then return {'replayed', 0} end
    if issued > now - window then
      recent = recent + 1
      if issued < oldest then oldest = issued end
    end
    if ends + keep < now then
      redis.call('HDEL', KEYS[1], all[n])
    elseif state == 'live' and owner == user then
      live[all[n]] = {owner, issued, ends, asked}
      if all[n] == instead and ends >= now then inherited = ends end
    end
  end
end

if instead ~= '' then
  if not inherited then return {'no_pass', 0} end
  deadline = inherited
elseif recent >= limit then
  return {'too_many_instance', oldest + window - now}
end

for old, was in pairs(live) do
  redis.call('HSET', KEYS[1], old, string.format('1 voided %s %.0f %.0f %s', was[1], was[2], was[3], was[4]))
end
redis.call('HSET', KEYS[1], id, string.format('1 live %s %.0f %.0f %s', user, now, deadline, request))
local ttl = redis.call('PTTL', KEYS[1])
if ttl < deadline + keep - now then
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', deadline + keep - now))
end
return {'ok', deadline}
