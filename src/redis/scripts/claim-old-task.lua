-- claim-old-task: claims a task of another program for this run of its job, or takes over the claim that the fleet holds for it.
-- A task that another program has done, or has claimed, is not claimed. The job's log has one line for each.
--@keys claimed result lock logs counters cancelled old_ends old_claims old_held activity
--@answers list: claimed | held (by, ms until its claim ends, result) | elsewhere (result) | done | cancelled | lock-lost
--@include lock
--@include old-task
--@include activity
local a = cjson.decode(ARGV[1])
if not has_job(lock, a.token, a.worker) then return { 'lock-lost' } end
if redis.call('ZSCORE', cancelled, a.job) then return { 'cancelled' } end
local ended, claim, waited = old_record(old_ends, a.id), old_record(old_claims, a.id), old_record(old_held, a.id)
local holder, found = text_at(claimed), text_at(result)

local function forget_wait()
  if waited.job == a.job then redis.call('HDEL', old_held, a.id) end
end

if is_result_of(a.job, found, ended) then
  if found == a.finding then return { 'done' } end
  if ended.job ~= a.job then
    redis.call('HSET', old_ends, a.id, cjson.encode({ job = a.job, by = '', result = found }))
    redis.call('RPUSH', logs, a.at .. ' done elsewhere by ' .. (holder or 'another program') .. ': finding ' .. string.sub(found, 1, 200))
    redis.call('HINCRBY', counters, 'old_tasks_done_elsewhere', 1)
    note_activity(activity, 'bridge-elsewhere', a.job, 'task:' .. string.sub(a.id, 1, 200), '', '', holder or '')
  end
  if claim.job == a.job then redis.call('HDEL', old_claims, a.id) end
  forget_wait()
  return { 'elsewhere', found }
end

if holder and not is_own_claim(a.job, holder, claim, ended) then
  return { 'held', holder, redis.call('PTTL', claimed), found or '' }
end

redis.call('SET', claimed, a.worker, 'EX', a.seconds)
if claim.job ~= a.job then note_activity(activity, 'bridge-taken', a.job, 'task:' .. string.sub(a.id, 1, 200), '', '', a.worker) end
redis.call('HSET', old_claims, a.id, cjson.encode({ job = a.job, by = a.worker }))
if waited.job == a.job and waited.by ~= ended.by then -- else it waited for an older text of the fleet's own
  redis.call('RPUSH', logs, a.at .. ' the claim of ' .. tostring(waited.by) .. ' ended without a result: run here (' .. a.worker .. ')')
  redis.call('HINCRBY', counters, 'old_claims_lapsed', 1)
end
forget_wait()
return { 'claimed' }
