-- finish-task: books the last call (if one is given) and records the finding once, with index, counts, events and announcements. Answers recorded | already | taken | lock-lost.
--@keys 20
local k = {
  turns = KEYS[1], lock = KEYS[2], reservations = KEYS[3], counters = KEYS[4], spend = KEYS[5], ledger = KEYS[6],
  totals = KEYS[7], cost = KEYS[8], outage = KEYS[9], cooldown = KEYS[10], logs = KEYS[11],
}
local finding, index, by_session, by_batch, context_active, session, events, batch_failed, task_spend =
  KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19], KEYS[20]
local token, log = ARGV[1], ARGV[2]
local a = {
  reservation = ARGV[3], nano = ARGV[4], usd = ARGV[5], row = ARGV[6], vendor = ARGV[7],
  usage = { ARGV[8], ARGV[9], ARGV[10], ARGV[11] },
}
local job, id, text, at, tokens, session_name, batch, findings_channel, completions_channel, topics =
  ARGV[12], ARGV[13], ARGV[14], ARGV[15], ARGV[16], ARGV[17], ARGV[18], ARGV[19], ARGV[20], ARGV[21]
--@include booking
if a.reservation ~= '' then book(k, a) end
if token ~= '' and redis.call('GET', k.lock) ~= token then return 'lock-lost' end
if not redis.call('SET', finding, text, 'NX') then
  if redis.call('TYPE', finding).ok == 'string' and string.find(redis.call('GET', finding), '"job_id":"' .. job .. '"', 1, true) then
    redis.call('DEL', k.turns)
    return 'already'
  end
  return 'taken'
end
if token ~= '' and log ~= '' then redis.call('RPUSH', k.logs, log) end
redis.call('ZADD', index, at, id)
redis.call('ZADD', by_session, at, id)
if batch ~= '' then
  redis.call('ZADD', by_batch, at, id)
  redis.call('SREM', batch_failed, job)
end
redis.call('INCRBY', context_active, tokens)
if redis.call('HGET', session, 'name') == session_name then redis.call('HINCRBY', session, 'findings', 1) end
redis.call('HINCRBY', k.totals, a.vendor .. ':tasks', 1)
redis.call('HINCRBY', k.ledger, a.row .. 'tasks', 1)
redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'finding', id, 'session', session_name, 'batch', batch, 'topics', topics)
redis.call('DEL', k.turns, task_spend)
redis.call('PUBLISH', findings_channel, id)
redis.call('PUBLISH', completions_channel, job)
return 'recorded'
