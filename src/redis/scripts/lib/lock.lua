-- Whether this run still has its job. `token` is empty in single mode, which has no lock.
-- A lock may expire while Redis or the process is frozen. If no other process has taken the job since, the lock is taken
-- again, so that calls under way need not be paid twice.
local function has_job(lock, token, worker)
  if token == '' then return true end
  local holder = redis.call('GET', lock)
  if holder then return holder == token end
  local job_key = string.sub(lock, 1, -6) -- without `:lock`
  if redis.call('HGET', job_key, 'pb') ~= worker then return false end
  local prefix, job = string.match(job_key, '^(.*:)([^:]*)$')
  if not redis.call('LPOS', prefix .. 'active', job) then return false end
  redis.call('SET', lock, token, 'PX', 10000)
  return true
end
