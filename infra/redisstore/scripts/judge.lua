-- Judges one start: spends the pass and writes the grant in one step.
-- KEYS: passes, start, wrong, lock. ARGV: launch, now, code, misfit, final,
--   forced, admit, ttl, lock after, lock within, lock for (all times in milliseconds).
-- Returns {fresh, written, fields of the start's hash}.
local launch, now, code, misfit = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local final, forced, admit = ARGV[5] == '1', ARGV[6], ARGV[7] == '1'

local seen = redis.call('HGET', KEYS[2], 'launch')
if seen and tonumber(seen) >= launch then
  return {0, 1, redis.call('HGETALL', KEYS[2])}
end

local admitted, reason, user, asked, note = false, misfit, '', '', ''
local locked = redis.call('PTTL', KEYS[4])
if forced ~= '' then
  admitted, reason = admit, forced
elseif locked > 0 then
  reason = 'locked'
elseif code ~= '' then
  local pass = redis.call('HGET', KEYS[1], code)
  local state, owner, rest, ends, request
  if pass then state, owner, rest, ends, request = string.match(pass, '^1 (%a+) (%S+) (%d+ (%d+) (%S+))$') end
  if state then
    user = owner
    if state == 'used' then reason = 'already_used'
    elseif state ~= 'live' then reason = 'voided'
    elseif launch > tonumber(ends) then reason = 'expired'
    else
      admitted, reason, asked = true, 'pass', request
      redis.call('HSET', KEYS[1], code, '1 used ' .. owner .. ' ' .. rest)
    end
  end
end

local record = {'v', 1, 'launch', ARGV[1], 'admitted', admitted and 1 or 0, 'reason', reason,
  'user', user, 'asked', asked, 'decided', ARGV[2], 'stage', 10, 'stage_at', ARGV[2], 'note', note}
if not admitted and not final and forced == '' then return {0, 0, record} end

if not admitted and (reason == 'unknown' or reason == 'other_instance') then
  local count = redis.call('INCR', KEYS[3])
  if count == 1 then redis.call('PEXPIRE', KEYS[3], ARGV[10]) end
  if count >= tonumber(ARGV[9]) then
    redis.call('SET', KEYS[4], '1', 'PX', ARGV[11])
    redis.call('DEL', KEYS[3])
    record[#record] = 'locked'
  end
end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], unpack(record))
redis.call('PEXPIRE', KEYS[2], ARGV[8])
return {1, 1, record}
