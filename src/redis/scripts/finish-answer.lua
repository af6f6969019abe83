-- finish-answer: books the call, if one is given, and records the librarian's answer once. The answer to a question from a public key is also written to its response key.
--@keys turns lock reservations counters spend ledger totals cost outage outage_row cooldown logs ledger_days finding answers response
--@answers recorded | already | taken | lock-lost
local k = {
  turns = turns, lock = lock, reservations = reservations, counters = counters, ledger = ledger, totals = totals,
  cost = cost, outage = outage, outage_row = outage_row, cooldown = cooldown, logs = logs, ledger_days = ledger_days,
}
local a = cjson.decode(ARGV[1])
local text, response_text = ARGV[2], ARGV[3]
--@include reservation
--@include outage
--@include booking
--@include lock
if a.reservation ~= '' then book(k, a) end
if not has_job(k.lock, a.token, a.worker) then return 'lock-lost' end
if not redis.call('SET', finding, text, 'NX') then
  if redis.call('TYPE', finding).ok == 'string' and string.find(redis.call('GET', finding), '"job_id":"' .. a.job .. '"', 1, true) then
    redis.call('DEL', k.turns)
    return 'already'
  end
  return 'taken'
end
redis.call('RPUSH', k.logs, a.log)
redis.call('ZADD', answers, a.at, a.id)
redis.call('DEL', k.turns)
if response_text ~= '' then
  redis.call('SET', response, response_text)
  redis.call('PUBLISH', a.responses_channel, a.query)
end
return 'recorded'
