-- claim-task: gives the first of some offered tasks that still waits to an outside worker, under a lease: moves it to active as BullMQ (6.7, moveToActive) does. Its lock outlives the lease, so that only the end of the lease takes the task back.
--@keys halt meta active wait prioritized delayed stalled events leases offered parked runs jobs...
--@answers list: claimed JOB EXPIRES_AT | halted | paused | none
local a = cjson.decode(ARGV[1]) -- ids of `jobs`, token, worker, lease_ms, lock_ms, always (also while halted: to end a task), record; `runs`: the id is added
--@include clock
--@include record
local now = clock()

for i, job in ipairs(jobs) do -- the same call again: the client sent it twice because its connection broke
  if redis.call('GET', job .. ':lock') == a.token then return { 'claimed', a.ids[i], redis.call('ZSCORE', leases, a.ids[i]) } end
end
if not a.always and redis.call('EXISTS', halt) == 1 then return { 'halted' } end
local limits = redis.call('HMGET', meta, 'paused', 'concurrency')
if not a.always and (limits[1] or tonumber(limits[2]) and redis.call('LLEN', active) >= tonumber(limits[2])) then return { 'paused' } end

-- Returns where the job waited; nil: it does not.
local function take(id)
  if redis.call('ZREM', delayed, id) == 1 then return 'delayed' end
  if redis.call('LREM', wait, -1, id) == 1 then return 'waiting' end -- from the end: there the oldest are
  if redis.call('ZREM', prioritized, id) == 1 then return 'waiting' end
end

for i, job in ipairs(jobs) do
  local id = a.ids[i]
  local prev = redis.call('TYPE', job).ok == 'hash' and redis.call('HEXISTS', parked, id) == 0 and take(id)
  if prev then
    local ends = now + a.lease_ms
    local offered_at = redis.call('ZSCORE', offered, id) or string.format('%.0f', now)
    redis.call('LPUSH', active, id)
    redis.call('SREM', stalled, id)
    redis.call('SET', job .. ':lock', a.token, 'PX', a.lock_ms)
    redis.call('XADD', events, '*', 'event', 'active', 'jobId', id, 'prev', prev)
    redis.call('HSET', job, 'processedOn', string.format('%.0f', now), 'pb', a.worker, 'delay', '0', 'outside', cjson.encode({
      by = a.worker, lease = redis.sha1hex(a.token), claimed_at = now, offered_at = tonumber(offered_at),
    }))
    redis.call('HINCRBY', job, 'ats', 1)
    redis.call('ZADD', leases, string.format('%.0f', ends), id)
    redis.call('ZREM', offered, id)
    note_run(runs .. id, a.record)
    return { 'claimed', id, string.format('%.0f', ends) }
  end
end
return { 'none' }
