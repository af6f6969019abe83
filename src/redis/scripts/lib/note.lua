-- What BullMQ's own job.log and job.updateProgress write, inside our step: a log line and a progress a turn cost two round
-- trips otherwise. Layout of bullmq 6.7 (addLog, updateProgress); `progress` is JSON, `null` for none. `events` is the queue's stream;
-- left out on a job's last turn: its end follows at once, and two entries a job would say the same.
local function note_turn(lock, logs, log, progress, job, events)
  if log ~= '' then redis.call('RPUSH', logs, log) end
  if progress == 'null' then return end
  redis.call('HSET', string.sub(lock, 1, -6), 'progress', progress) -- the job's key: without `:lock`
  if events then redis.call('XADD', events, 'MAXLEN', '~', '1000', '*', 'event', 'progress', 'jobId', job, 'data', progress) end
end
