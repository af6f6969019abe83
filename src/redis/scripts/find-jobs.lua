-- find-jobs: looks at a part of the jobs of one queue in one state, newest first, and answers with those that may fit. It only reads.
-- Keys of single jobs are not named: which, only the step finds. All have the hash tag of `set`.
--@keys set
--@answers values: looked ended index score id, then 16 values of each job
--@include look
-- {queue, set, only (the id of the one job to look at), from {id, index, score}, count, want, words, hints, names, own, exact, finds, states, since, reason, above; prefixes of keys: job, turns,
-- mission, spend, finding, waits_for; keys: parked, offered, waits}
local a = cjson.decode(ARGV[1])

-- What a mission is in that BullMQ sees as delayed, waiting or active.
local HELD = { asks = true, parked = true, planned = true }
local SHOWN = { wait = 'waiting', prioritized = 'waiting', active = 'running', delayed = 'delayed', completed = 'done', failed = 'failed' }

-- A key that another program replaced reads as a missing one.
local function read(...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then return false end
  return reply
end

-- Returns what a delayed job waits for, as `keys.waits` names it: the word before its colon. `line`: the last of its log.
local awaited
local function wait_of(id, line)
  if read('ZSCORE', a.offered, id) then return 'outside' end
  awaited = awaited or read('ZRANGE', a.waits, 0, 49) or {}
  for _, name in ipairs(awaited) do
    if read('ZSCORE', a.waits_for .. name, a.queue .. '|0|' .. id) then return string.match(name, '^[^:]+') end
  end
  -- A wait for money is noted with the amount, which the log does not tell.
  return string.find(line, 'for calls under way', 1, true) and 'money' or 'wait'
end

-- Returns state, reason and more of a job; a job that waits for a person, or for a higher budget, is parked.
local function state_of(id, failed_reason)
  if a.set == 'failed' then
    local reason = string.match(failed_reason, '^([%l][%l%d-]*):') or 'other'
    return reason == 'cancelled' and 'cancelled' or 'failed', reason, failed_reason
  elseif a.set == 'completed' then
    return 'done', '', ''
  end
  local mission = a.queue == 'missions' and read('HMGET', a.mission .. id, 'state', 'problem')
  if mission and HELD[mission[1]] then return 'parked', mission[1], mission[2] or '' end
  local mark = a.set == 'delayed' and read('HGET', a.parked, id)
  if mark then return 'parked', 'budget', mark end
  if a.set == 'delayed' then
    local line = read('LRANGE', a.job .. id .. ':logs', -1, -1)
    local last = line and line[1] or ''
    return 'delayed', wait_of(id, last), last
  elseif a.set == 'waiting-children' then
    return a.queue == 'missions' and 'running' or 'waiting', 'children', ''
  end
  return SHOWN[a.set], '', ''
end

-- The totals of the calls of a job that has not ended in a finding, as its turns hold them; empty: there are none.
local function totals_of(id, result)
  return not string.find(result, '"costNanoUsd":', 1, true) and read('HGET', a.turns .. id, 'totals') or ''
end

-- What a job has cost, nano-dollars; nil: nobody knows. Of a mission: with its tasks.
local function cost_of(id, result, totals)
  local spent = a.queue == 'missions' and read('HGET', a.spend .. 'mission:' .. id, 'settled')
  if spent then return tonumber(spent) end
  return tonumber(string.match(result, '"costNanoUsd":(%d+)') or string.match(totals, '"nanoUsd":(%d+)'))
end

-- The model of the last call; empty: there was none. The row is `session|batch|mission|model|…`.
local function called_in(totals)
  return string.match(totals, '"row":"[^|]*|[^|]*|[^|]*|([^|"]*)|') or ''
end

-- The texts in which names of a mission, model and worker are looked for.
local function named_in(id, data, called, worker, result)
  local own = '"job_id":"' .. id .. '""worker_id":"' .. worker .. '""model":"' .. called .. '"'
  local finding = a.finds and string.match(result, '"findingId":"([^"]+)"')
  return data .. own .. (finding and read('GET', a.finding .. finding) or '')
end

-- The row of a job; nil where it does not fit. Then how many bytes were looked through.

local function row_of(id, score, index)
  local data = read('HGET', a.job .. id, 'data')
  if not data then return nil, 0 end
  if not has_all(data, a.own) or not has_words(data, id, a) then return nil, #data end
  local fields = redis.call('HMGET', a.job .. id, 'timestamp', 'processedOn', 'finishedOn', 'failedReason', 'returnvalue', 'pb')
  for i = 1, 6 do fields[i] = fields[i] or '' end
  local added, taken, ended, failed_reason, result, worker = unpack(fields)
  local at = tonumber(ended) or tonumber(taken) or tonumber(added) or 0
  if a.since and at < a.since then return nil, #data end
  local totals = totals_of(id, result)
  local called = called_in(totals)
  local size = #data
  if #a.exact > 0 then
    local named = named_in(id, data, called, worker, result)
    size = #named
    if not has_all(named, a.exact) then return nil, size end
  end
  local state, reason, more = state_of(id, failed_reason)
  if not a.states[state] or (a.reason and a.reason ~= reason) then return nil, size end
  local cost = cost_of(id, result, totals)
  if a.above and not (cost and cost > a.above) then return nil, size end
  local due = a.set == 'delayed' and string.format('%.0f', math.floor(tonumber(score) / 4096)) or '' -- BullMQ's: ms × 4096 + a count
  local money = cost and string.format('%.0f', cost) or ''
  return {
    id, score or '', index, state, reason, more, string.format('%.0f', at), added, taken, ended, data, result, worker, money, due, called,
  }, size
end

local ids, scores, start = {}, {}, 0
if not a.only then
  ids, scores, start = part_of(set, a.from, a.count)
elseif not a.from then
  ids, scores = { a.only }, { a.set == 'delayed' and read('ZSCORE', set, a.only) or '0' }
end
local looked, bytes, found = 0, 0, {}
for i, id in ipairs(ids) do
  local row, size = row_of(id, scores[i], start + i)
  looked, bytes = i, bytes + size
  if row then found[#found + 1] = row end
  if #found >= a.want or bytes > MOST_BYTES then break end
end
local is_over = looked == #ids and #ids < a.count
local answer = { looked, is_over and 1 or 0, start + looked, scores[looked] or '', ids[looked] or '' }
for _, row in ipairs(found) do
  for _, value in ipairs(row) do answer[#answer + 1] = value end
end
return answer
