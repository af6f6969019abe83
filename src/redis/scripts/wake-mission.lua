-- wake-mission: removes children that have ended or no longer exist from those that a mission waits for, and puts the mission back to waiting if no child is left.
-- BullMQ does the same when a child ends (bullmq 6.7, moveParentToWait); this script is for the ends that it missed.
--@keys dependencies waiting_children wait meta marker events job children...
--@answers numbers: how many children were removed; 1 if the mission was woken, else 0
local id = ARGV[1]
local removed = 0
for _, child in ipairs(children) do
  local ended = redis.call('EXISTS', child) == 0 or redis.call('HEXISTS', child, 'finishedOn') == 1
  if ended then removed = removed + redis.call('SREM', dependencies, child) end
end
if redis.call('SCARD', dependencies) > 0 or redis.call('EXISTS', job) == 0 then return { removed, 0 } end
if redis.call('ZREM', waiting_children, id) == 0 then return { removed, 0 } end
redis.call('RPUSH', wait, id)
if redis.call('HEXISTS', meta, 'paused') == 0 then redis.call('ZADD', marker, 0, '0') end
redis.call('XADD', events, '*', 'event', 'waiting', 'jobId', id, 'prev', 'waiting-children')
return { removed, 1 }
