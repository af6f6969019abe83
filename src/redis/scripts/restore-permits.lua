-- restore-permits: stores the starts of a process' calls of the last minute again, if Redis has lost them.
--@keys starts tokens
--@answers number: how many were lost
local a = cjson.decode(ARGV[1])
--@include clock
--@include shard-room
local now, lost = clock(), 0
for _, permit in ipairs(a.permits) do
  local id, age, value = permit[1], permit[2], permit[3]
  if redis.call('ZADD', starts, 'NX', now - age, id) == 1 then
    redis.call('HSET', tokens, id, value)
    redis.call('HINCRBY', tokens, 'sum', tokens_of(value))
    lost = lost + 1
  end
end
for _, key in ipairs({ starts, tokens }) do redis.call('PEXPIRE', key, 2 * a.spacing) end
return lost
