-- Notes the policy in force.
-- KEYS: policy. ARGV: hash, this call's id. Returns the hash before, or "".
local was = redis.call('HMGET', KEYS[1], 'hash', 'before', 'by')
if was[3] == ARGV[2] then return was[2] end -- this very call, sent twice
redis.call('HSET', KEYS[1], 'hash', ARGV[1], 'before', was[1] or '', 'by', ARGV[2])
return was[1] or ''
