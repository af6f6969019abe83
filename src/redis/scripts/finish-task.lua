-- finish-task: for each job books its last call, if one is given, and records its finding once, with index, counts, events and announcements.
-- A finding of status `partial`, and one whose tool calls failed, is counted apart, too, also in the record of its mission. `by_batch`, `batch_failed` and `batch_facts` are given only with a batch, a job's `spend` only if the job has a budget of its own.
--@keys reservations counters ledger totals cost outage outage_row cooldown ledger_days index by_session context_active session events mission [by_batch] [batch_failed] [batch_facts]
--@own turns lock logs finding [spend]
--@answers recorded | already | taken | lock-lost
--@include context
local k = {
  reservations = reservations, counters = counters, ledger = ledger, totals = totals, cost = cost, outage = outage,
  outage_row = outage_row, cooldown = cooldown, ledger_days = ledger_days,
}
--@include group
--@include reservation
--@include outage
--@include booking
--@include lock
--@include note
local in_batch = shared.batch ~= ''

local calls = {}
for i, job in ipairs(jobs) do
  if job.reservation ~= '' then calls[#calls + 1] = job end
end
k.lock = own_key(1, 'lock') -- `book_calls` reads the queue's name from it
if #calls > 0 then book_calls(k, shared.row, shared.vendor, calls) end

local holders = redis.call('MGET', unpack(own_keys('lock')))
local count, tokens = 0, 0
local marks = { partial = 0, tool_errors = 0 }
local indexed, done, batch_jobs = {}, {}, {}

local function record(i, job)
  local turns, lock, logs, finding = own_key(i, 'turns'), own_key(i, 'lock'), own_key(i, 'logs'), own_key(i, 'finding')
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
  for mark, marked in pairs(marks) do marks[mark] = marked + job[mark] end
  indexed[#indexed + 1], indexed[#indexed + 2] = job.at, job.id
  done[#done + 1] = turns
  done[#done + 1] = own_key(i, 'spend')
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
  redis.call('HINCRBY', k.totals, shared.vendor .. ':tasks', more)
  redis.call('HINCRBY', k.ledger, shared.row .. 'tasks', more)
  redis.call('DEL', unpack(done))
end
return answers
