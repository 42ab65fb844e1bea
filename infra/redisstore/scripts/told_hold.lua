-- Notes that people were asked about a hold, while there is one.
-- KEYS: hold. Returns 1 when there is.
local there = redis.call('EXISTS', KEYS[1])
if there == 1 then redis.call('HSET', KEYS[1], 'told', 1) end
return there
