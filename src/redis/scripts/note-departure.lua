-- note-departure: counts a call of a project from now on, because its request has left: the provider counts it on arrival. Sent twice, it counts from the later time.
--@keys starts tokens
--@answers number: 1 if the call counted, 0 if it had left the window and counts again
local id, value, keep_ms = ARGV[1], ARGV[2], ARGV[3]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.ceil(tonumber(time[2]) / 1000)
local is_new = redis.call('ZADD', starts, now, id)
if is_new == 1 then
  redis.call('HSET', tokens, id, value)
  redis.call('HINCRBY', tokens, 'sum', string.match(value, '^%d+'))
end
for _, key in ipairs({ starts, tokens }) do redis.call('PEXPIRE', key, keep_ms) end
return 1 - is_new
