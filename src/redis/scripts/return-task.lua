-- return-task: offers a task again that an outside worker held: it gave the task back (`token`), or its lease is over (no `token`). The job's hash holds the last call.
--@keys leases offered active wait delayed stalled events meta marker counters job lock logs run
--@answers returned | kept
local a = cjson.decode(ARGV[1]) -- id, token, waits ('1': for any worker), later_ms, counter, line, call, record
--@include clock
--@include record
local now = clock()
if redis.call('HGET', job, 'noted') == a.call then return 'returned' end -- the same call again
local holder, ends = redis.call('GET', lock), redis.call('ZSCORE', leases, a.id)
if a.token ~= '' then
  if holder ~= a.token then return 'kept' end
else
  if not ends or tonumber(ends) > now then return 'kept' end
  redis.call('ZREM', leases, a.id)
end
local readable, record = pcall(cjson.decode, redis.call('HGET', job, 'outside') or '{}')
if not readable or type(record) ~= 'table' then record = {} end
-- Another lease, or a worker of the fleet, may have the task by now.
if a.token == '' and holder and redis.sha1hex(holder) ~= record.lease then return 'kept' end
if redis.call('LREM', active, 1, a.id) == 0 then return 'kept' end -- it has ended, or waits already
redis.call('DEL', lock)
redis.call('SREM', stalled, a.id)
redis.call('ZREM', leases, a.id)
redis.call('ZADD', offered, string.format('%.0f', tonumber(record.offered_at) or now), a.id)
if a.waits == '1' then -- as BullMQ (6.7, moveJobFromActiveToWait) does
  redis.call('RPUSH', wait, a.id)
  if redis.call('HEXISTS', meta, 'paused') == 0 then redis.call('ZADD', marker, 0, '0') end
  redis.call('XADD', events, 'MAXLEN', '~', '1000', '*', 'event', 'waiting', 'jobId', a.id, 'prev', 'active')
else -- as moveToDelayed does
  local due = now + a.later_ms
  redis.call('ZADD', delayed, string.format('%.0f', due * 4096), a.id)
  redis.call('HSET', job, 'delay', string.format('%.0f', a.later_ms))
  redis.call('XADD', events, 'MAXLEN', '~', '1000', '*', 'event', 'delayed', 'jobId', a.id, 'delay', string.format('%.0f', due))
end
redis.call('HSET', job, 'noted', a.call)
redis.call('RPUSH', logs, a.line)
note_run(run, a.record)
redis.pcall('HINCRBY', counters, a.counter, 1)
return 'returned'
