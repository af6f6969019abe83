-- finish-task: for each job books its last call, if one is given, and records its finding once, with index, counts, events and announcements.
-- A finding of status `partial`, and one whose tool calls failed, is counted apart, too, also in the record of its mission. `by_batch`, `batch_failed` and `batch_facts` are given only with a batch, a job's `spend` only if the job has a budget of its own. What an outside worker states of its use (`unmetered`) is counted apart: it is no task of the fleet's models, and no cost. Nor is an assist task (`assists`) a task of its session: it is a part of its asker. A task of another program (`old`) is answered to it in the same step, unless another program's worker has it or has done it (`held`); its claim is left to expire.
--@keys reservations counters ledgers totals cost outage outage_row cooldown ledger_days index by_session context_active session events mission by_shard metrics [by_batch] [batch_failed] [batch_facts]
--@own turns lock logs finding run [spend] [old_result] [old_claimed] [old_error] [old_ends] [old_claims]
--@answers recorded | already | taken | lock-lost | held
--@include context
local k = {
  reservations = reservations, counters = counters, ledgers = ledgers, totals = totals, cost = cost, outage = outage,
  outage_row = outage_row, cooldown = cooldown, ledger_days = ledger_days, metrics = metrics,
}
--@include clock
--@include group
--@include reservation
--@include outage
--@include tally
--@include booking
--@include lock
--@include note
--@include record
--@include old-task
--@include arrival
local in_batch = shared.batch ~= ''

for i, job in ipairs(jobs) do
  if job.old then redis.call('HLEN', own_key(i, 'old_ends')) redis.call('HLEN', own_key(i, 'old_claims')) end -- they fail before the first write
end

local calls = {}
for i, job in ipairs(jobs) do
  if job.reservation ~= '' then calls[#calls + 1] = job end
end
k.lock = own_key(1, 'lock') -- `book_calls` reads the queue's name from it
if #calls > 0 then book_calls(k, shared.row, shared.vendor, calls) end

local holders = redis.call('MGET', unpack(own_keys('lock')))
local recorded, tokens = 0, 0
local marks = { partial = 0, tool_errors = 0 }
local indexed, done, batch_jobs, tallies = {}, {}, {}, {}
local now = clock()
local apart = { tasks = 0, input = 0, output = 0, nano = 0 }

local queue = queue_of(k.lock)

-- When the first call of a job began, and its last call, as its turns name them; the key may be damaged, and goes all the same.
local function turns_of(turns)
  local found = redis.pcall('HMGET', turns, 'begun', 'reservation')
  return found.err and {} or found
end

local function may_answer(i, job)
  local id = job.old.id
  local ended, claim = old_record(own_key(i, 'old_ends'), id), old_record(own_key(i, 'old_claims'), id)
  local holder, found = text_at(own_key(i, 'old_claimed')), text_at(own_key(i, 'old_result'))
  if found ~= job.id and is_result_of(job.job, found, ended) then return false end
  return not holder or is_own_claim(job.job, holder, claim, ended)
end

local function answer_old(i, job)
  local id, claims = job.old.id, own_key(i, 'old_claims')
  redis.call('SET', own_key(i, 'old_result'), job.id)
  redis.call('SET', own_key(i, 'old_claimed'), shared.worker, 'EX', job.old.keep_seconds)
  redis.call('DEL', own_key(i, 'old_error'))
  redis.call('HSET', own_key(i, 'old_ends'), id, cjson.encode({ job = job.job, by = shared.worker, result = job.id }))
  if old_record(claims, id).job == job.job then redis.call('HDEL', claims, id) end
end

local function record(i, job)
  local turns, lock, logs, finding = own_key(i, 'turns'), own_key(i, 'lock'), own_key(i, 'logs'), own_key(i, 'finding')
  if job.token ~= '' and holders[i] ~= job.token and not has_job(lock, job.token, shared.worker) then return 'lock-lost' end
  if job.old and redis.call('EXISTS', finding) == 0 and not may_answer(i, job) then return 'held' end
  if not redis.call('SET', finding, ARGV[i + 1], 'NX') then
    if redis.call('TYPE', finding).ok == 'string' and string.find(redis.call('GET', finding), '"job_id":"' .. job.job .. '"', 1, true) then
      close_last(turns, reservations, counters)
      redis.call('DEL', turns)
      return 'already'
    end
    return 'taken'
  end
  if job.token ~= '' then note_turn(lock, logs, job.log, job.progress) end
  note_run(own_key(i, 'run'), job.record)
  recorded, tokens = recorded + 1, tokens + tonumber(job.tokens)
  local begun, named = unpack(turns_of(turns))
  if not shared.assists then count_end(tallies, queue, begun, job.partial == 1 and 'partial' or 'completed', now) end
  for mark, marked in pairs(marks) do marks[mark] = marked + job[mark] end
  if job.unmetered then
    apart.tasks = apart.tasks + 1
    for measure, amount in pairs(job.unmetered) do apart[measure] = apart[measure] + amount end
  end
  indexed[#indexed + 1], indexed[#indexed + 2] = job.at, job.id
  if named ~= job.reservation then close_named(named, reservations, counters) end -- else it is booked above
  done[#done + 1] = turns
  done[#done + 1] = own_key(i, 'spend')
  if in_batch then batch_jobs[#batch_jobs + 1] = job.job end
  redis.call('XADD', events, 'MAXLEN', '~', '10000', '*', 'finding', job.id, 'session', shared.session, 'batch', shared.batch, 'topics', job.topics)
  if job.old then answer_old(i, job) end
  redis.call('PUBLISH', shared.findings_channel, job.id)
  redis.call('PUBLISH', shared.completions_channel, job.old and job.old.id or job.job)
  return 'recorded'
end

local answers = {}
for i, job in ipairs(jobs) do answers[i] = record(i, job) end

if recorded > 0 then
  local more = string.format('%.0f', recorded)
  write_tallies(metrics, tallies)
  redis.call('ZADD', index, unpack(indexed))
  redis.call('ZADD', by_session, unpack(indexed))
  if shared.shard ~= '' then redis.call('ZADD', by_shard, unpack(indexed)) end
  if in_batch then
    redis.call('ZADD', by_batch, unpack(indexed))
    redis.call('SREM', batch_failed, unpack(batch_jobs))
  end
  count_tokens(context_active, string.format('%.0f', tokens))
  for i = 1, #indexed, 2 do note_arrival(index, indexed[i + 1], indexed[i], now) end
  local in_session = redis.call('HGET', session, 'name') == shared.session
  if in_session then redis.call('HINCRBY', session, 'findings', more) end
  local in_mission = shared.mission ~= '' and redis.call('EXISTS', mission) == 1 -- else the counter would make a mission
  for mark, counter in pairs({ partial = 'partial_findings', tool_errors = 'findings_with_tool_errors' }) do
    if marks[mark] > 0 then
      redis.call('HINCRBY', counters, counter, marks[mark])
      if in_batch then redis.call('HINCRBY', batch_facts, mark, marks[mark]) end
      if in_session then redis.call('HINCRBY', session, mark, marks[mark]) end
      if in_mission then redis.call('HINCRBY', mission, mark, marks[mark]) end
    end
  end
  local day = day_of(now)
  if recorded > apart.tasks and not shared.assists then
    local metered = string.format('%.0f', recorded - apart.tasks)
    redis.call('HINCRBY', k.totals, shared.vendor .. ':tasks', metered)
    if shared.class ~= '' then redis.call('HINCRBY', k.totals, 'class:' .. shared.class .. ':tasks', metered) end
    redis.call('HINCRBY', k.ledgers .. day, shared.row .. 'tasks', metered)
  end
  if apart.tasks > 0 then
    for measure, amount in pairs(apart) do
      if amount > 0 then
        redis.call('HINCRBY', k.totals, 'unmetered:' .. measure, string.format('%.0f', amount))
        redis.call('HINCRBY', k.ledgers .. day, shared.row .. 'unmetered_' .. measure, string.format('%.0f', amount))
      end
    end
    redis.call('SADD', ledger_days, day) -- no booking does
  end
  redis.call('DEL', unpack(done))
end
return answers
