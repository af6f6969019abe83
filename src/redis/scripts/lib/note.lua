-- Writes what BullMQ's job.log and job.updateProgress write, in the layout of bullmq 6.7 (addLog, updateProgress). Inside this
-- step it costs no further round trips. `progress` is JSON; `null`: none. `events` is the queue's stream; it is nil on the last
-- turn of a job, because the job's end follows at once.
local function note_turn(lock, logs, log, progress, job, events)
  if log ~= '' then redis.call('RPUSH', logs, log) end
  if progress == 'null' then return end
  redis.call('HSET', string.sub(lock, 1, -6), 'progress', progress) -- the job's key: without `:lock`
  if events then redis.call('XADD', events, 'MAXLEN', '~', '1000', '*', 'event', 'progress', 'jobId', job, 'data', progress) end
end
