-- renew-locks: keeps the locks of the jobs a worker runs. Answers the places (from 1) of those it no longer has.
--@keys 2
local stalled = KEYS[1] -- KEYS[2…] are the locks
local worker, lock_ms = ARGV[1], ARGV[2] -- then token and job id of each lock
--@include lock
local lost = {}
for i = 2, #KEYS do
  local token, job = ARGV[2 * i - 1], ARGV[2 * i]
  if has_job(KEYS[i], token, worker) then
    redis.call('SET', KEYS[i], token, 'PX', lock_ms)
    redis.call('SREM', stalled, job)
  else
    lost[#lost + 1] = i - 1
  end
end
return lost
