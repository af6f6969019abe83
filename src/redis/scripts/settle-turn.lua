-- settle-turn: books one served call and stores its reply, in one step.
--@keys turns lock reservations counters ledgers totals cost outage outage_row cooldown logs ledger_days run metrics
--@answers stored | booked (there is nothing to store) | lock-lost (the call is booked nevertheless)
local k = {
  turns = turns, lock = lock, reservations = reservations, counters = counters, ledgers = ledgers, totals = totals,
  cost = cost, outage = outage, outage_row = outage_row, cooldown = cooldown, logs = logs, ledger_days = ledger_days, metrics = metrics,
}
local a = cjson.decode(ARGV[1])
local token, field, job_totals, reply = a.token, a.field, a.totals, ARGV[2]
--@include clock
--@include reservation
--@include outage
--@include tally
--@include booking
--@include lock
--@include note
--@include record
local fresh = book(k, a)
if fresh then note_run(run, a.record) end
if not has_job(k.lock, token, a.worker) then
  -- Another process has this job now. The reply is paid for: it is stored for that process if the turn has none and the job has not ended.
  if reply ~= '' and redis.call('EXISTS', k.turns) == 1 then redis.call('HSETNX', k.turns, field, reply) end
  return 'lock-lost'
end
if fresh and token ~= '' then
  local prefix, job = string.match(k.lock, '^(.*:)([^:]*):lock$')
  note_turn(k.lock, k.logs, a.log, a.progress, job, prefix .. 'events')
end
if redis.call('HGET', k.turns, 'reservation') == a.reservation then redis.call('HSET', k.turns, 'reservation', '') end -- else another call is out
if reply == '' then
  redis.call('HSET', k.turns, 'totals', job_totals)
  return 'booked'
end
redis.call('HSET', k.turns, field, reply, 'totals', job_totals)
return 'stored'
