-- What BullMQ's own job.log and job.updateProgress write, inside our step: a log line and a progress a turn cost two round
-- trips otherwise. Layout of bullmq 6.7 (addLog, updateProgress); `progress` is JSON, `null` for none.
local function note_turn(lock, logs, log, progress)
  if log ~= '' then redis.call('RPUSH', logs, log) end
  if progress == 'null' then return end
  local job_key = string.sub(lock, 1, -6) -- without `:lock`
  local prefix, job = string.match(job_key, '^(.*:)([^:]*)$')
  redis.call('HSET', job_key, 'progress', progress)
  redis.call('XADD', prefix .. 'events', 'MAXLEN', '~', 1000, '*', 'event', 'progress', 'jobId', job, 'data', progress)
end
