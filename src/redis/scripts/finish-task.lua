-- finish-task: for each job books its last call (if one is given) and records its finding once, with index, counts, events and announcements. Answers, one a job: recorded | already | taken | lock-lost.
--@keys 13
--@include context
local k = {
  reservations = KEYS[1], counters = KEYS[2], ledger = KEYS[3], totals = KEYS[4], cost = KEYS[5], outage = KEYS[6],
  cooldown = KEYS[7], ledger_days = KEYS[8],
}
local index, by_session, context_active, session, events = KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]
local by_batch, batch_failed = KEYS[14], KEYS[15] -- with a batch only
-- Then each job's own keys: turns, lock, logs, finding and, with an own budget, its spend.
--@include group
--@include booking
--@include lock
--@include note
local in_batch = shared.batch ~= ''

local calls = {}
for i, job in ipairs(jobs) do
  if job.reservation ~= '' then calls[#calls + 1] = job end
end
k.lock = own_key(1, 2) -- names the queue
if #calls > 0 then book_calls(k, shared.row, shared.vendor, calls) end

local holders = redis.call('MGET', unpack(own_keys(2)))
local count, tokens = 0, 0
local indexed, done, batch_jobs = {}, {}, {}

local function record(i, job)
  local turns, lock, logs, finding = own_key(i, 1), own_key(i, 2), own_key(i, 3), own_key(i, 4)
  if job.token ~= '' and holders[i] ~= job.token and not has_job(lock, job.token, shared.worker) then return 'lock-lost' end
  if not redis.call('SET', finding, ARGV[i + 1], 'NX') then
    if redis.call('TYPE', finding).ok == 'string' and string.find(redis.call('GET', finding), '"job_id":"' .. job.job .. '"', 1, true) then
      redis.call('DEL', turns)
      return 'already'
    end
    return 'taken'
  end
  if job.token ~= '' then note_turn(lock, logs, job.log, job.progress) end
  count, tokens = count + 1, tokens + tonumber(job.tokens)
  indexed[#indexed + 1], indexed[#indexed + 2] = job.at, job.id
  done[#done + 1] = turns
  if shared.own == 5 then done[#done + 1] = own_key(i, 5) end
  if in_batch then batch_jobs[#batch_jobs + 1] = job.job end
  redis.call('XADD', events, 'MAXLEN', '~', '10000', '*', 'finding', job.id, 'session', shared.session, 'batch', shared.batch, 'topics', job.topics)
  redis.call('PUBLISH', shared.findings_channel, job.id)
  redis.call('PUBLISH', shared.completions_channel, job.job)
  return 'recorded'
end

local answers = {}
for i, job in ipairs(jobs) do answers[i] = record(i, job) end

if count > 0 then
  local more = string.format('%.0f', count)
  redis.call('ZADD', index, unpack(indexed))
  redis.call('ZADD', by_session, unpack(indexed))
  if in_batch then
    redis.call('ZADD', by_batch, unpack(indexed))
    redis.call('SREM', batch_failed, unpack(batch_jobs))
  end
  count_tokens(context_active, string.format('%.0f', tokens))
  if redis.call('HGET', session, 'name') == shared.session then redis.call('HINCRBY', session, 'findings', more) end
  redis.call('HINCRBY', k.totals, shared.vendor .. ':tasks', more)
  redis.call('HINCRBY', k.ledger, shared.row .. 'tasks', more)
  redis.call('DEL', unpack(done))
end
return answers
