-- wake-mission: unties children that have ended, or are gone, from a mission that still waits for them, and puts it back to waiting where no other is left. Answers how many were untied, and 1 where it was woken.
-- BullMQ does the same when a child ends; this is for the ends it did not tell (bullmq 6.7, moveParentToWait).
--@keys 7
local dependencies, waiting_children, wait, meta, marker, events, job = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local id = ARGV[1]
local untied = 0
for i = 8, #KEYS do -- children
  local ended = redis.call('EXISTS', KEYS[i]) == 0 or redis.call('HEXISTS', KEYS[i], 'finishedOn') == 1
  if ended then untied = untied + redis.call('SREM', dependencies, KEYS[i]) end
end
if redis.call('SCARD', dependencies) > 0 or redis.call('EXISTS', job) == 0 then return { untied, 0 } end
if redis.call('ZREM', waiting_children, id) == 0 then return { untied, 0 } end
redis.call('RPUSH', wait, id)
if redis.call('HEXISTS', meta, 'paused') == 0 then redis.call('ZADD', marker, 0, '0') end
redis.call('XADD', events, '*', 'event', 'waiting', 'jobId', id, 'prev', 'waiting-children')
return { untied, 1 }
