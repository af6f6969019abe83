-- release-chain: turns a parked chain into a task that is to be added.
--@keys rule pending parked
--@answers released | gone
local task, text, payload = unpack(ARGV)
if redis.call('HGET', parked, task) ~= text then
  if redis.call('HEXISTS', pending, task) == 1 then return 'released' end -- before: the client sent it twice
  return 'gone'
end
redis.call('HSET', pending, task, payload)
redis.call('HDEL', parked, task)
if redis.call('HEXISTS', rule, 'record') == 1 then redis.call('HINCRBY', rule, 'fired', 1) end
return 'released'
