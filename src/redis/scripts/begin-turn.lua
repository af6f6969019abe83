-- begin-turn: stores the last tool results, then answers whether this job may make its next paid call, and reserves its worst case.
-- Answers: done FINDING | taken | lock-lost | cancelled | halted REASON | replay EPOCH TOTALS field value… | cooling MS |
--          budget SCOPE LIMIT SETTLED RESERVED UNCERTAIN (LIMIT -1: a person parked it) | reserved EPOCH RESERVATION
--@keys 11
local turns, lock, finding, halt, cancelled, cooldown, outage, reservations, counters, budget =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local DAY = 11 -- KEYS[11] is the day's spend; the own budgets of task, batch and mission follow, where there are any
local job, token, attempt, digest, turn, worst, now, worker, first, default_limit, task_limit, tools_field =
  unpack(cjson.decode(ARGV[1]))
local tools = ARGV[2]
--@include booking
--@include lock

if not has_job(lock, token, worker) then return { 'lock-lost' } end

if first == '1' then
  local existing = redis.call('TYPE', finding).ok
  if existing == 'string' then
    local text = redis.call('GET', finding)
    if string.find(text, '"job_id":"' .. job .. '"', 1, true) then return { 'done', text } end
    return { 'taken' }
  elseif existing ~= 'none' then
    return { 'taken' }
  end
end

if tools_field ~= '' then redis.call('HSET', turns, tools_field, tools) end

local state = redis.call('HMGET', turns, 'epoch', 'digest', 'cause', 'cause_attempt', 'reservation', 'totals')
local epoch = state[1]
local function to_id(in_epoch) return job .. '#' .. in_epoch .. ':' .. turn .. '#' .. worker .. '#' .. now end

-- This very question again: the connection broke after it was answered. The answer is the same.
if epoch and state[5] == to_id(epoch) and redis.call('HEXISTS', reservations, state[5]) == 1 then
  return { 'reserved', epoch, state[5] }
end

if first == '1' and epoch then
  local failed_before = state[3] and tonumber(attempt) > tonumber(state[4])
  if failed_before then redis.call('PERSIST', turns) end
  if state[2] ~= digest or (failed_before and state[3] == 'task') then
    for _, field in ipairs(redis.call('HKEYS', turns)) do
      local kind = string.sub(field, 1, 2)
      if kind == 'r:' or kind == 't:' then redis.call('HDEL', turns, field) end
    end
    epoch = attempt
    redis.call('HSET', turns, 'epoch', epoch, 'digest', digest)
  end
  if failed_before then redis.call('HDEL', turns, 'cause', 'cause_attempt', 'unavailable', 'unavailable_since') end
end

-- A reservation without a stored reply: the process that made it died or froze while the call was out.
if state[5] and state[5] ~= '' then
  local packed = redis.call('HGET', reservations, state[5])
  if packed then make_uncertain(reservations, counters, state[5], packed) end
  redis.call('HSET', turns, 'reservation', '')
end

if redis.call('ZSCORE', cancelled, job) then return { 'cancelled' } end

if first == '1' and state[1] then
  local stored = redis.call('HGETALL', turns)
  local answer = { 'replay', epoch, state[6] or '' }
  for i = 1, #stored, 2 do
    local kind = string.sub(stored[i], 1, 2)
    if kind == 'r:' or kind == 't:' then
      answer[#answer + 1] = stored[i]
      answer[#answer + 1] = stored[i + 1]
    end
  end
  return answer
end
epoch = epoch or attempt

local reason = redis.call('GET', halt)
if reason then return { 'halted', reason } end

local wait = redis.call('PTTL', cooldown)
if wait > 0 then return { 'cooling', wait } end
-- Ten failures in a row stopped the model; whoever comes first after each minute is the probe.
if tonumber(redis.call('GET', outage) or '0') >= 10 then redis.call('SET', cooldown, 'probe', 'PX', 60000) end

for i = DAY, #KEYS do
  local spent = redis.call('HMGET', KEYS[i], 'settled', 'reserved', 'uncertain', 'limit', 'parked')
  local scope, limit = 'own', spent[4]
  -- A person set this mission aside: nothing of it is called, as if its limit were below nothing.
  if spent[5] then return { 'budget', KEYS[i], '-1', spent[1] or '0', spent[2] or '0', spent[3] or '0' } end
  if i == DAY then
    scope, limit = 'day', redis.call('HGET', budget, 'day') or default_limit
  elseif i == DAY + 1 and task_limit ~= '' and not limit then
    limit = task_limit
    redis.call('HSET', KEYS[i], 'limit', limit)
  end
  if limit then
    local total = tonumber(spent[1] or '0') + tonumber(spent[2] or '0') + tonumber(spent[3] or '0')
    if total + tonumber(worst) > tonumber(limit) then
      return { 'budget', i == DAY and 'day' or KEYS[i], limit, spent[1] or '0', spent[2] or '0', spent[3] or '0' }
    end
  end
end

local packed = { worst, now }
for i = DAY, #KEYS do
  redis.call('HINCRBY', KEYS[i], 'reserved', worst)
  packed[#packed + 1] = KEYS[i]
end
local id = to_id(epoch)
redis.call('HSET', reservations, id, table.concat(packed, '|'))
redis.call('HSET', turns, 'epoch', epoch, 'digest', digest, 'reservation', id)
return { 'reserved', epoch, id }
