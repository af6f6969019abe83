-- begun-first: moves begun tasks whose delay is over to the front of their queue. BullMQ (6.7, promoteDelayedJobs) puts them behind all jobs that wait.
--@keys begun_delayed delayed wait
--@answers number: how many were moved
--@include clock
local moved = 0
for _, job in ipairs(redis.call('ZRANGEBYSCORE', begun_delayed, '-inf', string.format('%.0f', clock()), 'LIMIT', 0, 100)) do
  if not redis.call('ZSCORE', delayed, job) then -- else BullMQ has not looked since
    redis.call('ZREM', begun_delayed, job)
    if redis.call('LREM', wait, 1, job) == 1 then
      redis.call('RPUSH', wait, job)
      moved = moved + 1
    end
  end
end
return moved
