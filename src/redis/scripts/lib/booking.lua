-- Books served calls. Needs `reservation` and `outage`.

-- The measures of a call's usage, in its order.
local MEASURES = { 'input', 'cache_write', 'cache_read', 'output' }

-- Adds a cost to the ledger row, the session's totals and the public total, with `sums`, the other amounts of the step.
local function add_cost(k, sums, row, vendor, cost)
  add(sums, k.ledger, row .. 'nano', cost.nano)
  add(sums, k.totals, vendor .. ':nano', cost.nano)
  add(sums, k.totals, vendor .. ':tokens', cost.tokens)
  if cost.nano > 0 then add(sums, k.reservations .. ':booked', vendor, cost.nano) end -- the fleet's own part of `cost:*`, of every session
  write_sums(sums)
  if redis.call('HINCRBY', k.ledger, row .. 'calls', string.format('%.0f', cost.calls)) == cost.calls then
    redis.call('SADD', k.ledger_days, string.match(k.ledger, '[^:]+$')) -- the day of the ledger, which reports look up
  end
  -- Another program may have stored a value that is no number. The paid reply must be stored nevertheless.
  local total = cost.nano > 0 and redis.pcall('INCRBYFLOAT', k.cost, string.format('%.9f', cost.nano / 1e9))
  if type(total) == 'table' and total.err then redis.call('HINCRBY', k.counters, 'public_total_unreadable', 1) end
end

-- Leaves the rest of a reservation uncertain after its broken stream was booked as far as it was reported. Nothing is left of
-- a reservation of nothing. Returns the rest.
local function keep_rest(k, call, packed, worst, was_open)
  local rest = math.max(0, tonumber(worst) - tonumber(call.nano))
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

-- Books the served calls of one step: closes their reservations, and adds to the ledger row, the session's totals and the
-- public total. Each call has reservation, nano and usage (input, cache_write, cache_read, output); a free one also list_nano.
-- With `broken` the reply is not whole, and what is left of the reservation stays uncertain. An uncertain call whose reply
-- comes late is booked at its real cost.
-- Returns for each whether it was booked. False: it was booked before; a client sends a command again after its connection broke.
local function book_calls(k, row, vendor, calls)
  local ids = {}
  for i, call in ipairs(calls) do ids[i] = call.reservation end
  local held = redis.call('HMGET', k.reservations, unpack(ids))
  local booked, closed, sums, by_scopes = {}, {}, {}, {}
  local nano, tokens, count, calls_booked, answered_from = 0, 0, 0, 0, 0
  for i, call in ipairs(calls) do
    local is_open = held[i] and true or false
    local packed = held[i] or redis.call('HGET', uncertain_of(k.reservations), call.reservation)
    local reported = packed and reported_of(packed)
    booked[i] = packed and not (reported and call.broken) and true or false
    if booked[i] then
      local worst, at, scopes = string.match(packed, '^(%d+)|(%d+)|(.*)$')
      -- A late whole reply after a broken stream: only what the stream had not reported is still to be booked.
      local function beyond(place, amount) return math.max(0, tonumber(amount) - (reported and reported[place] or 0)) end
      local cost = beyond(1, call.nano)
      if is_open then closed[#closed + 1] = call.reservation end
      add(by_scopes, scopes, is_open and 'reserved' or 'uncertain', -worst) -- most reservations of one step were made in the same scopes
      add(by_scopes, scopes, 'settled', cost)
      if call.broken then
        add(by_scopes, scopes, 'uncertain', keep_rest(k, call, packed, worst, is_open))
      elseif not is_open then
        redis.call('HDEL', uncertain_of(k.reservations), call.reservation)
        redis.call('HINCRBY', k.counters, 'uncertain_calls', -1)
      end
      if not call.broken then answered_from = math.max(answered_from, tonumber(at)) end
      local counted = reported and 0 or 1
      count, calls_booked, nano = count + 1, calls_booked + counted, nano + cost
      local own = 0
      for m, measure in ipairs(MEASURES) do
        local amount = beyond(m + 1, call.usage[m])
        if amount > 0 then add(sums, k.ledger, row .. measure, amount) end
        own = own + amount
      end
      tokens = tokens + own
      if call.apart then -- a call of no task: planning, synthesis
        add(sums, k.totals, call.apart .. ':nano', cost)
        add(sums, k.totals, call.apart .. ':calls', counted)
        add(sums, k.totals, call.apart .. ':tokens', own)
      end
      if call.list_nano then -- a free call: its list price is reported separately
        add(sums, k.ledger, row .. 'list_nano', call.list_nano)
        add(sums, k.totals, vendor .. ':list_nano', call.list_nano)
      end
    end
  end
  if count == 0 then return booked end
  if #closed > 0 then redis.call('HDEL', k.reservations, unpack(closed)) end
  for scopes, amounts in pairs(by_scopes) do
    for scope in string.gmatch(scopes, '[^|]+') do
      if is_scope(scope) then
        for field, amount in pairs(amounts) do add(sums, scope, field, amount) end
      end
    end
  end
  add_cost(k, sums, row, vendor, { nano = nano, tokens = tokens, calls = calls_booked })
  -- The provider answers again: ends the outage's cooldown and the queue's pause for it. The cooldown of a rate limit remains.
  if answered_from > 0 and end_row(k.outage, k.outage_row, answered_from) and redis.call('GET', k.cooldown) ~= 'rate-limit' and redis.call('DEL', k.cooldown) == 1 then
    redis.call('DEL', string.match(k.lock, '^(.*:)[^:]*:lock$') .. 'limiter')
  end
  return booked
end

-- Books one call. Returns whether it was booked.
local function book(k, a) return book_calls(k, a.row, a.vendor, { a })[1] end
