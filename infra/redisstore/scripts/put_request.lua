-- Stores a new request.
-- KEYS: request, asking, source. ARGV: id, record, version, asker, now, lapses,
--   keep the record, keep the source (all times in milliseconds).
-- Returns {"ok"}, {"replayed", id of the request that was stored} or {"already_asked", id of the other request}.
local id, asker = ARGV[1], ARGV[4]
local was, by = redis.call('HGET', KEYS[1], 'record'), redis.call('GET', KEYS[3])
if was == ARGV[2] then return {'ok'} end -- this very call, sent twice
if was or by then return {'replayed', by or id} end

local other, lapses = string.match(redis.call('HGET', KEYS[2], asker) or '', '^(%S+) (%d+)$')
if other and tonumber(lapses) >= tonumber(ARGV[5]) then return {'already_asked', other} end

redis.call('HSET', KEYS[1], 'v', 1, 'id', id, 'version', ARGV[3], 'record', ARGV[2], 'told', -1, 'recorded', -1)
redis.call('PEXPIRE', KEYS[1], ARGV[7])
redis.call('HSET', KEYS[2], asker, id .. ' ' .. ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
redis.call('SET', KEYS[3], id, 'PX', ARGV[8])
return {'ok'}
