-- finish-task: books the last call (if one is given) and records the finding once, with index, counts, events and announcements. Answers recorded | already | taken | lock-lost.
--@keys 18
local k = {
  turns = KEYS[1], lock = KEYS[2], reservations = KEYS[3], counters = KEYS[4], spend = KEYS[5], ledger = KEYS[6],
  totals = KEYS[7], cost = KEYS[8], outage = KEYS[9], cooldown = KEYS[10], logs = KEYS[11], ledger_days = KEYS[12],
}
local finding, index, by_session, context_active, session, events = KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18]
local by_batch, batch_failed, task_spend = KEYS[19], KEYS[20], KEYS[21] -- with a batch or an own budget only
local a = cjson.decode(ARGV[1])
local text = ARGV[2]
--@include booking
--@include lock
--@include note
if a.reservation ~= '' then book(k, a) end
if not has_job(k.lock, a.token, a.worker) then return 'lock-lost' end
if not redis.call('SET', finding, text, 'NX') then
  if redis.call('TYPE', finding).ok == 'string' and string.find(redis.call('GET', finding), '"job_id":"' .. a.job .. '"', 1, true) then
    redis.call('DEL', k.turns)
    return 'already'
  end
  return 'taken'
end
if a.token ~= '' then note_turn(k.lock, k.logs, a.log, a.progress) end
redis.call('ZADD', index, a.at, a.id)
redis.call('ZADD', by_session, a.at, a.id)
if a.batch ~= '' then
  redis.call('ZADD', by_batch, a.at, a.id)
  redis.call('SREM', batch_failed, a.job)
end
redis.call('INCRBY', context_active, a.tokens)
if redis.call('HGET', session, 'name') == a.session then redis.call('HINCRBY', session, 'findings', 1) end
redis.call('HINCRBY', k.totals, a.vendor .. ':tasks', 1)
redis.call('HINCRBY', k.ledger, a.row .. 'tasks', 1)
redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'finding', a.id, 'session', a.session, 'batch', a.batch, 'topics', a.topics)
redis.call('DEL', k.turns)
if task_spend then redis.call('DEL', task_spend) end
redis.call('PUBLISH', a.findings_channel, a.id)
redis.call('PUBLISH', a.completions_channel, a.job)
return 'recorded'
