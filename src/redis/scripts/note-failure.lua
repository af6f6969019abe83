-- note-failure: records that a job fails, before it moves: counter, cause for a retry, cost as rework, failure of its batch. The job's hash holds the last call.
-- `escalates`: another model tries it again, so that only the rework is written.
--@keys counters job lock turns cancelled cancelled_ends ledger ledger_days totals activity run metrics [batch_failed]
--@answers number: 1, or 0 if this call has run before; -1: this run has lost the job, and nothing is written
local a = cjson.decode(ARGV[1])
--@include once
--@include lock
--@include activity
--@include record
--@include clock
--@include tally
if not has_job(lock, a.token, a.worker) then return -1 end
local exists = redis.call('EXISTS', job) == 1
if exists and has_run_last(job, 'noted', a.call) then return 0 end
if not a.escalates then
  redis.call('HINCRBY', counters, a.counter, 1)
  redis.call('ZREM', cancelled, a.job)
  local tallies = {}
  count_end(tallies, queue_of(lock), begun_of(turns), a.counter == 'failed_cancelled' and 'cancelled' or 'failed', clock())
  write_tallies(metrics, tallies)
  if a.counter == 'failed_cancelled' then redis.call('ZADD', cancelled_ends, a.at, a.job)
  else redis.call('ZREM', cancelled_ends, a.job) end
  if redis.call('EXISTS', turns) == 1 then
    redis.call('HSET', turns, 'cause', a.cause, 'cause_attempt', a.attempt)
    redis.call('HDEL', turns, 'begun') -- the time until a retry is none that the job took
    redis.call('EXPIRE', turns, a.keep_seconds)
  end
  if batch_failed then redis.call('SADD', batch_failed, a.job) end
end
local spent = a.spent
if spent and redis.call('HGET', turns, 'totals') == spent.totals then -- else a later run has spent more, and counts it
  redis.call('HSET', turns, 'rework', spent.totals)
  redis.call('SADD', ledger_days, spent.day)
  for measure, amount in pairs(spent.ledger) do redis.call('HINCRBY', ledger, spent.row .. measure, string.format('%.0f', amount)) end
  for measure, amount in pairs(spent.session) do redis.call('HINCRBY', totals, 'rework:' .. measure, string.format('%.0f', amount)) end
end
note_run(run, a.record)
if not a.escalates then note_activity(activity, 'failed', a.job, a.text, a.batch, a.mission, a.worker) end
return 1
