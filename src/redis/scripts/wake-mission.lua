-- wake-mission: unties children that have ended, or are gone, from a mission that still waits for them, and puts it back to waiting where no other is left.
-- BullMQ does the same when a child ends; this is for the ends it did not tell (bullmq 6.7, moveParentToWait).
--@keys dependencies waiting_children wait meta marker events job children...
--@answers numbers: how many were untied, 1 where it was woken
local id = ARGV[1]
local untied = 0
for _, child in ipairs(children) do
  local ended = redis.call('EXISTS', child) == 0 or redis.call('HEXISTS', child, 'finishedOn') == 1
  if ended then untied = untied + redis.call('SREM', dependencies, child) end
end
if redis.call('SCARD', dependencies) > 0 or redis.call('EXISTS', job) == 0 then return { untied, 0 } end
if redis.call('ZREM', waiting_children, id) == 0 then return { untied, 0 } end
redis.call('RPUSH', wait, id)
if redis.call('HEXISTS', meta, 'paused') == 0 then redis.call('ZADD', marker, 0, '0') end
redis.call('XADD', events, '*', 'event', 'waiting', 'jobId', id, 'prev', 'waiting-children')
return { untied, 1 }
