-- Books served calls. Needs `clock`, `reservation`, `outage` and `tally`.

-- The measures of a call's usage, in its order.
local MEASURES = { 'input', 'cache_write', 'cache_read', 'output' }
-- What a call is held as in its scopes, until it is settled.
local STATES = { 'reserved', 'uncertain' }

-- Adds a call of no task (`apart`) to the session's totals of such calls; with `apart_row` also to the fields of the day's ledger that tell it from tasks.
local function add_apart(sums, totals, ledger, call, nano, calls, used)
  local tokens, row = 0, call.apart_row
  for m, measure in ipairs(MEASURES) do
    tokens = tokens + used[m]
    if row and used[m] > 0 then add(sums, ledger, row .. measure, used[m]) end
  end
  add(sums, totals, call.apart .. ':nano', nano)
  add(sums, totals, call.apart .. ':calls', calls)
  add(sums, totals, call.apart .. ':tokens', tokens)
  if row then
    add(sums, ledger, row .. 'nano', nano)
    add(sums, ledger, row .. 'calls', calls)
  end
end

-- The labels of a call in the tallies: its vendor and its model, which is the fourth part of its row.
local function labels_of(row, vendor) return vendor .. '|' .. (string.match(row, '^[^|]*|[^|]*|[^|]*|([^|]*)|') or '') end

-- Adds what the groups cost to the scopes, the ledger rows, the session's totals, the public total and the tallies, with `sums` and
-- `tallies`, the other amounts of the step.
local function add_cost(k, sums, tallies, row, vendor, groups)
  local nano, calls_of, labels = 0, {}, labels_of(row, vendor)
  for _, group in pairs(groups) do
    local ledger, free_local = k.ledgers .. group.day, group.free_local or 0
    for scope in string.gmatch(group.scopes, '[^|]+') do
      if is_scope(scope) then
        for _, field in ipairs(STATES) do
          if group[field] ~= 0 then add(sums, scope, field, group[field]) end
        end
        add(sums, scope, 'settled', group.nano)
        if free_local > 0 then add(sums, scope, 'free_local', free_local) end
      end
    end
    for m, measure in ipairs(MEASURES) do
      if group.usage[m] > 0 then
        add(sums, ledger, row .. measure, group.usage[m])
        count(tallies, 'tokens|' .. labels .. '|' .. measure, group.usage[m])
      end
    end
    if group.nano > 0 then count(tallies, 'nano|' .. labels, group.nano) end
    add(sums, ledger, row .. 'nano', group.nano)
    add(sums, k.totals, vendor .. ':nano', group.nano)
    add(sums, k.totals, vendor .. ':tokens', group.tokens)
    if free_local > 0 then add(sums, k.totals, vendor .. ':free_local', free_local) end
    nano, calls_of[group.day] = nano + group.nano, (calls_of[group.day] or 0) + group.calls
  end
  if nano > 0 then add(sums, k.reservations .. ':booked', vendor, nano) end -- the fleet's own part of `cost:*`, of every session
  write_sums(sums)
  write_tallies(k.metrics, tallies)
  for day, added in pairs(calls_of) do
    local calls = redis.call('HINCRBY', k.ledgers .. day, row .. 'calls', string.format('%.0f', added))
    if calls == added then redis.call('SADD', k.ledger_days, day) end -- the first of the row: reports look the day up
  end
  -- Another program may have stored a value that is no number. The paid reply must be stored nevertheless.
  local total = nano > 0 and redis.pcall('INCRBYFLOAT', k.cost, string.format('%.9f', nano / 1e9))
  if type(total) == 'table' and total.err then
    redis.call('HINCRBY', k.counters, 'public_total_unreadable', 1)
    -- `pay-owed` adds it once the key is well again.
    redis.call('HINCRBY', k.reservations .. ':owed', vendor, string.format('%.0f', nano))
    redis.call('HINCRBY', k.reservations .. ':booked', vendor, string.format('-%.0f', nano))
  end
end

-- Leaves the rest of a reservation uncertain after its broken stream was booked as far as it was reported. Nothing is left of
-- a reservation of nothing. Returns the rest.
local function keep_rest(k, call, packed, worst, was_open)
  local most = math.min(tonumber(worst), tonumber(call.most or worst))
  local rest = math.max(0, most - tonumber(call.nano))
  if rest > 0 then
    local at, parts = string.match(packed, '^%d+|(%d+)|(.*)$')
    local reported = '+' .. call.nano .. ',' .. table.concat(call.usage, ',')
    local left = table.concat({ string.format('%.0f', rest), at, reported, parts }, '|')
    redis.call('HSET', uncertain_of(k.reservations), call.reservation, left)
    if was_open then redis.call('HINCRBY', k.counters, 'uncertain_calls', 1) end
  elseif not was_open then
    redis.call('HDEL', uncertain_of(k.reservations), call.reservation)
    redis.call('HINCRBY', k.counters, 'uncertain_calls', -1)
  end
  return rest
end

-- Returns those of the joined scopes that are still there.
local function those_there(scopes)
  local left = {}
  for scope in string.gmatch(scopes, '[^|]+') do
    if is_scope(scope) and is_there(scope) then left[#left + 1] = scope end
  end
  return table.concat(left, '|')
end

-- A late whole reply after a broken stream: only what the stream had not reported is still to be booked.
local function beyond(reported, place, amount)
  if reported then return math.max(0, amount - (reported[place] or 0)) end
  return tonumber(amount)
end

-- Returns the sums of the calls with such a reservation: most of one step were reserved in the same scopes.
local function group_of(groups, packed, scopes, is_open)
  local name = (is_open and '' or '-') .. scopes
  local group = groups[name]
  if not group then
    group = {
      scopes = is_open and scopes or those_there(scopes), day = reserved_day(packed),
      reserved = 0, uncertain = 0, nano = 0, calls = 0, tokens = 0, free_local = 0, usage = { 0, 0, 0, 0 },
    }
    groups[name] = group
  end
  return group
end

-- Books the served calls of one step: closes their reservations, and adds to the ledger row, the session's totals and the
-- public total. Each call has reservation, nano and usage (input, cache_write, cache_read, output), and `ms`, which it took; a free one
-- also list_nano.
-- With `broken` the reply is not whole, and what is left of the reservation stays uncertain. An uncertain call whose reply
-- comes late is booked at its real cost. A call is booked on the day on which it was reserved, also after midnight: the day's
-- budget and its ledger agree.
-- Returns for each whether it was booked. False: it was booked before; a client sends a command again after its connection broke.
local function book_calls(k, row, vendor, calls)
  local ids = {}
  for i, call in ipairs(calls) do ids[i] = call.reservation end
  local held = redis.call('HMGET', k.reservations, unpack(ids))
  local booked, closed, sums, groups, tallies = {}, {}, {}, {}, {}
  local labels = labels_of(row, vendor)
  local answered_from = 0
  for i, call in ipairs(calls) do
    local is_open = held[i] and true or false
    local packed = held[i] or redis.call('HGET', uncertain_of(k.reservations), call.reservation)
    local reported = packed and not is_open and reported_of(packed)
    booked[i] = packed and not (reported and call.broken) and true or false
    if booked[i] then
      local worst, at, scopes = string.match(packed, '^(%d+)|(%d+)|(.*)$')
      local group = group_of(groups, packed, scopes, is_open)
      local cost = beyond(reported, 1, call.nano)
      if is_open then
        closed[#closed + 1] = call.reservation
        group.reserved = group.reserved - worst
      else
        group.uncertain = group.uncertain - worst
      end
      if call.broken then
        group.uncertain = group.uncertain + keep_rest(k, call, packed, worst, is_open)
      else
        answered_from = math.max(answered_from, tonumber(at))
        if not is_open then
          redis.call('HDEL', uncertain_of(k.reservations), call.reservation)
          redis.call('HINCRBY', k.counters, 'uncertain_calls', -1)
        end
      end
      local counted, own = reported and 0 or 1, 0
      if counted == 1 then count_time(tallies, 'call', labels, call.broken and '|broken' or '|served', tonumber(call.ms)) end
      local used = call.apart and {} -- planning, synthesis, an answer of the archive
      for m = 1, #MEASURES do
        local amount = beyond(reported, m + 1, call.usage[m])
        if used then used[m] = amount end
        group.usage[m] = group.usage[m] + amount
        own = own + amount
      end
      group.nano, group.calls, group.tokens = group.nano + cost, group.calls + counted, group.tokens + own
      if used then add_apart(sums, k.totals, k.ledgers .. group.day, call, cost, counted, used) end
      if call.list_nano then -- a free call: its list price is reported separately
        add(sums, k.ledgers .. group.day, row .. 'list_nano', call.list_nano)
        add(sums, k.totals, vendor .. ':list_nano', call.list_nano)
      elseif cost == 0 and own > 0 then -- nothing a token: every other price is above 0
        group.free_local = group.free_local + counted
      end
    end
  end
  if not next(groups) then return booked end
  if #closed > 0 then redis.call('HDEL', k.reservations, unpack(closed)) end
  add_cost(k, sums, tallies, row, vendor, groups)
  -- The provider answers again: ends the outage's cooldown and the queue's pause for it. The cooldown of a rate limit remains.
  if answered_from > 0 and end_row(k.outage, k.outage_row, answered_from) and redis.call('GET', k.cooldown) ~= 'rate-limit' and redis.call('DEL', k.cooldown) == 1 then
    redis.call('DEL', string.match(k.lock, '^(.*:)[^:]*:lock$') .. 'limiter')
  end
  return booked
end

-- Books one call. Returns whether it was booked.
local function book(k, a) return book_calls(k, a.row, a.vendor, { a })[1] end
