-- begin-turn: for each job stores its last tool results, then answers whether it may make its next paid call, and reserves the call's worst case.
-- `day_spends`: the day's name is added, by Redis' clock. `spends`: what batch and mission have spent, if any. A job's `spend`: what it has spent of its own budget.
-- An assist task gives the question that it was added for (`call`), the turns of its `asker`, and the spend of the asker's own budget, if that has one.
--@keys halt cancelled cooldown outage reservations counters budget day_spends begun metrics spends...
--@own turns lock finding [asker] [spend]
--@answers list: done FINDING | taken | lock-lost | cancelled | halted REASON | replay EPOCH TOTALS field value… | cooling MS WHY
--@answers list: budget SCOPE LIMIT SETTLED RESERVED UNCERTAIN WORST (LIMIT -1: a person parked it) | reserved EPOCH RESERVATION
--@include clock
--@include group
--@include reservation
--@include lock
--@include activity
--@include peers
--@include record
--@include tally
local worker = shared.worker
local reserved_at = clock()
local day_spend = day_spends .. day_of(reserved_at)
local wait = redis.call('PTTL', cooldown)
local why = wait > 0 and redis.call('GET', cooldown) or ''

local function scopes_of(i)
  local scopes = { day_spend }
  scopes[2] = own_key(i, 'spend')
  for _, spend in ipairs(spends) do scopes[#scopes + 1] = spend end
  return scopes
end

-- Returns what is booked in a scope, with what earlier jobs of this step have reserved.
local books = {}
local function book_of(scope)
  local book = books[scope]
  if book then return book end
  local spent = redis.call('HMGET', scope, 'settled', 'reserved', 'uncertain', 'limit', 'parked')
  book = { settled = spent[1] or '0', reserved = tonumber(spent[2] or '0'), uncertain = spent[3] or '0', limit = spent[4], added = 0 }
  if spent[5] then book.limit = '-1' end -- a person set this mission aside: no call of it may begin
  if scope == day_spend then book.limit = redis.call('HGET', budget, 'day') or shared.default_limit end
  books[scope] = book
  return book
end

-- Share of the day's budget below which uncertain cost pauses a model instead of halting the fleet: it may never be billed.
local BILLED_SHARE = 0.8
local PAUSE_MS = 60000

-- Whether the day has room for the call but for uncertain cost, and little is billed.
local function is_full_of_uncertain(book, worst)
  local settled, limit, cost = tonumber(book.settled), tonumber(book.limit), tonumber(worst)
  return settled < BILLED_SHARE * limit and settled + cost <= limit and settled + tonumber(book.uncertain) + cost > limit
end

local function over_budget(i, worst, task_limit)
  for s, scope in ipairs(scopes_of(i)) do
    local book = book_of(scope)
    if s == 2 and task_limit ~= '' and not book.limit then
      book.limit = task_limit
      redis.call('HSET', scope, 'limit', task_limit)
    end
    if book.limit then
      local reserved = book.reserved + book.added
      if tonumber(book.settled) + reserved + tonumber(book.uncertain) + tonumber(worst) > tonumber(book.limit) then
        if s == 1 and is_full_of_uncertain(book, worst) then
          redis.call('SET', cooldown, 'uncertain', 'PX', PAUSE_MS)
          wait, why = PAUSE_MS, 'uncertain'
          return { 'cooling', wait, why }
        end
        return { 'budget', s == 1 and 'day' or scope, book.limit, book.settled, string.format('%.0f', reserved), book.uncertain, worst }
      end
    end
  end
end

local reason = redis.pcall('GET', halt) -- public: another program may have stored another type, which halts, too
if type(reason) == 'table' then reason = '{"reason":"unknown","detail":"halt:reason holds no text"}' end
local is_probed = tonumber(redis.call('GET', outage) or '0') >= 10
local any_cancelled = redis.call('EXISTS', cancelled) == 1
local any_finding = redis.call('EXISTS', unpack(own_keys('finding'))) > 0
local holders = redis.call('MGET', unpack(own_keys('lock')))
local reserved, begins, tallies = {}, {}, {}

local function begin(i, fields)
  local job, token, attempt, digest, turn, worst, asked_at, nonce, first, task_limit, no_call, tools_field, call, added_at, record = unpack(fields)
  local turns, lock, finding = own_key(i, 'turns'), own_key(i, 'lock'), own_key(i, 'finding')
  if holders[i] ~= token and not has_job(lock, token, worker) then return { 'lock-lost' } end

  if any_finding then
    local existing = redis.call('TYPE', finding).ok
    if existing == 'string' then
      local text = redis.call('GET', finding)
      if string.find(text, '"job_id":"' .. job .. '"', 1, true) then return { 'done', text } end
      return { 'taken' }
    elseif existing ~= 'none' then
      return { 'taken' }
    end
  end

  if tools_field ~= '' then redis.call('HSET', turns, tools_field, ARGV[i + 1]) end

  local state = redis.call('HMGET', turns, 'epoch', 'digest', 'cause', 'cause_attempt', 'reservation', 'totals')
  local epoch = state[1]
  local function to_id(in_epoch) return job .. '#' .. in_epoch .. ':' .. turn .. '#' .. worker .. '#' .. asked_at .. '.' .. nonce end

  -- The same request again: the client sent it twice because its connection broke. It gets the same answer.
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
        -- It may ask its peers anew: those that it had asked have ended with the run that failed.
        if failed_before and (kind == 'p:' or field == 'asked') then redis.call('HDEL', turns, field) end
      end
      -- The same attempt with another text, as when another model tries it again: a late reply to the old text fits no turn of the new one.
      local is_same = epoch == attempt or string.sub(epoch, 1, #attempt + 1) == attempt .. '+'
      epoch = is_same and epoch .. '+' or attempt
      redis.call('HSET', turns, 'epoch', epoch, 'digest', digest)
    end
    if failed_before then redis.call('HDEL', turns, 'cause', 'cause_attempt', 'unavailable', 'unavailable_since', 'timed_out') end
  end

  -- A reservation without a stored reply: its process died or froze during the call.
  if state[5] and state[5] ~= '' then
    local packed = redis.call('HGET', reservations, state[5])
    if packed then
      make_uncertain(reservations, counters, state[5], packed)
      books = {} -- read them again: the reservation may be in one of these scopes
      for _, pending in ipairs(reserved) do
        for _, scope in ipairs(pending.scopes) do book_of(scope).added = book_of(scope).added + tonumber(pending.worst) end
      end
    end
    redis.call('HSET', turns, 'reservation', '')
  end

  if any_cancelled and redis.call('ZSCORE', cancelled, job) then return { 'cancelled' } end
  if call ~= '' and not still_asks(own_key(i, 'asker'), call) then return { 'cancelled' } end

  -- A reply of this turn that an earlier run stored late; or this request is a copy that was on its way for long.
  local is_stored = state[1] and redis.call('HEXISTS', turns, 'r:' .. epoch .. ':' .. turn) == 1
  if is_stored or (first == '1' and state[1]) then
    local stored = redis.call('HGETALL', turns)
    local answer = { 'replay', epoch, state[6] or '' }
    for f = 1, #stored, 2 do
      local kind = string.sub(stored[f], 1, 2)
      if kind == 'r:' or kind == 't:' then
        answer[#answer + 1] = stored[f]
        answer[#answer + 1] = stored[f + 1]
      end
    end
    return answer
  end
  epoch = epoch or attempt

  if reason then return { 'halted', reason } end
  if wait > 0 then return { 'cooling', wait, why } end
  local over = over_budget(i, worst, task_limit)
  if over then return over end
  -- Ten failures in a row, or a silent call, stopped the model. The first call after each minute is the probe.
  if is_probed and no_call == '0' then
    redis.call('SET', cooldown, 'probe', 'PX', '60000')
    wait, why = 60000, 'probe'
  end

  local id = to_id(epoch)
  local scopes = scopes_of(i)
  for _, scope in ipairs(scopes) do book_of(scope).added = book_of(scope).added + tonumber(worst) end
  reserved[#reserved + 1] = { id = id, worst = worst, scopes = scopes, packed = table.concat({ worst, string.format('%.0f', reserved_at), '=' .. shared.stamp, unpack(scopes) }, '|') }
  if first == '1' and not state[1] then
    begins[#begins + 1] = job
    if added_at ~= '' then count_time(tallies, 'wait', shared.queue, '', reserved_at - added_at) end -- a job without a queue has not waited
    redis.call('HSET', turns, 'epoch', epoch, 'digest', digest, 'reservation', id, 'begun', string.format('%.0f', reserved_at))
  else
    redis.call('HSET', turns, 'epoch', epoch, 'digest', digest, 'reservation', id)
  end
  if record then note_run(run_of(turns), record) end
  return { 'reserved', epoch, id }
end

local answers = {}
for i, fields in ipairs(jobs) do answers[i] = begin(i, fields) end

if #reserved > 0 then
  local entries, sums = {}, {}
  for r, pending in ipairs(reserved) do
    entries[2 * r - 1], entries[2 * r] = pending.id, pending.packed
    for _, scope in ipairs(pending.scopes) do add(sums, scope, 'reserved', pending.worst) end
  end
  redis.call('HSET', reservations, unpack(entries))
  write_sums(sums)
end
-- One entry for all jobs that this step begins: no id has a blank.
write_tallies(metrics, tallies)
if #begins > 0 then note_activity(begun, 'begun', table.concat(begins, ' '), shared.queue, shared.batch, shared.mission, worker) end
return answers
