-- renew-locks: renews the locks of the jobs that a worker runs.
--@keys stalled locks...
--@answers numbers: the indexes (from 1) of the locks that it has lost
local worker, lock_ms = ARGV[1], ARGV[2] -- then token and job id of each lock
--@include lock
local lost = {}
for i, lock in ipairs(locks) do
  local token, job = ARGV[2 * i + 1], ARGV[2 * i + 2]
  if has_job(lock, token, worker) then
    redis.call('SET', lock, token, 'PX', lock_ms)
    redis.call('SREM', stalled, job)
  else
    lost[#lost + 1] = i
  end
end
return lost
