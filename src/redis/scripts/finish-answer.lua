-- finish-answer: books the call, if one is given, and records the librarian's answer once. The answer to a question from a public key is also written to its response key.
--@keys turns lock reservations counters ledgers totals cost outage outage_row cooldown logs ledger_days run metrics finding answers response activity
--@answers recorded | already | taken | lock-lost
local k = {
  turns = turns, lock = lock, reservations = reservations, counters = counters, ledgers = ledgers, totals = totals,
  cost = cost, outage = outage, outage_row = outage_row, cooldown = cooldown, logs = logs, ledger_days = ledger_days, metrics = metrics,
}
local a = cjson.decode(ARGV[1])
local text, response_text = ARGV[2], ARGV[3]
--@include clock
--@include reservation
--@include outage
--@include tally
--@include booking
--@include lock
--@include activity
--@include record
if a.reservation ~= '' then book(k, a) end
if not has_job(k.lock, a.token, a.worker) then return 'lock-lost' end
if not redis.call('SET', finding, text, 'NX') then
  if redis.call('TYPE', finding).ok == 'string' and string.find(redis.call('GET', finding), '"job_id":"' .. a.job .. '"', 1, true) then
    close_last(k.turns, k.reservations, k.counters)
    redis.call('DEL', k.turns)
    return 'already'
  end
  return 'taken'
end
redis.call('RPUSH', k.logs, a.log)
note_run(run, a.record)
redis.call('ZADD', answers, a.at, a.id)
local tallies = {}
count_end(tallies, queue_of(k.lock), begun_of(k.turns), 'completed', clock())
write_tallies(metrics, tallies)
close_last(k.turns, k.reservations, k.counters)
redis.call('DEL', k.turns)
if response_text ~= '' then
  redis.call('SET', response, response_text)
  redis.call('PUBLISH', a.responses_channel, a.query)
end
note_activity(activity, 'answered', a.id, '', a.batch, a.mission, a.worker)
return 'recorded'
