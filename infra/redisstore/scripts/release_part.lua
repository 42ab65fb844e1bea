-- Gives a part back that a worker began and did not send.
-- KEYS: parts. ARGV: part, worker. Returns the version.
local by = 'by:' .. ARGV[1]
local f = redis.call('HMGET', KEYS[1], 'v', by, 'ref:' .. ARGV[1])
if f[1] and f[1] ~= '1' then return f[1] end
if f[2] == ARGV[2] and not f[3] then redis.call('HDEL', KEYS[1], by, 'at:' .. ARGV[1]) end
return '1'
