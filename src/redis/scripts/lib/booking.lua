-- The arithmetic of money. All amounts are whole nano-dollars; a packed reservation is `worst|reserved at|scope key|scope key…`.
-- That of an uncertain call may also hold `+nano,input,cache_write,cache_read,output`: what a broken stream had reported, which
-- is booked already. The worst case is then that of the rest.

-- Sums up the amounts of a step by key and field, so that each field is written once.
local function add(sums, key, field, amount)
  local fields = sums[key]
  if not fields then
    fields = {}
    sums[key] = fields
  end
  fields[field] = (fields[field] or 0) + tonumber(amount)
end

local function write_sums(sums)
  for key, fields in pairs(sums) do
    for field, amount in pairs(fields) do
      redis.call('HINCRBY', key, field, amount == 0 and '0' or string.format('%.0f', amount)) -- Redis refuses `-0`
    end
  end
end

-- Negates an amount. A free call reserves `0`, and Redis refuses `-0`.
local function minus(amount) return amount == '0' and '0' or '-' .. amount end

-- Returns the worst case, the time of the reservation, and the keys of its scopes.
local function unpack_reservation(packed)
  local worst, at, rest = string.match(packed, '^(%d+)|(%d+)(.*)$')
  local scopes = {}
  for part in string.gmatch(rest, '[^|]+') do
    if string.sub(part, 1, 1) ~= '+' then scopes[#scopes + 1] = part end
  end
  return worst, at, scopes
end

-- Returns what a broken stream of this call had reported: nano, then its four counts of tokens. Nil: nothing.
local function reported_of(packed)
  local text = string.match(packed, '|%+([%d,]+)')
  if not text then return nil end
  local amounts = {}
  for amount in string.gmatch(text, '%d+') do amounts[#amounts + 1] = tonumber(amount) end
  return amounts
end

-- In every scope of a reservation, subtracts its worst case from `reserved` and adds `amount` to `field`.
local function close_scopes(packed, field, amount)
  local worst, _, scopes = unpack_reservation(packed)
  for _, scope in ipairs(scopes) do
    redis.call('HINCRBY', scope, 'reserved', minus(worst))
    if amount ~= '0' then redis.call('HINCRBY', scope, field, amount) end
  end
end

-- Key of the hash of reservations that became uncertain, by id, in case their reply comes late. In the same slot as `reservations`.
local function uncertain_of(reservations) return reservations .. ':uncertain' end

-- Books a call that may have been served as uncertain, at its worst case.
local function make_uncertain(reservations, counters, id, packed)
  local worst = unpack_reservation(packed)
  close_scopes(packed, 'uncertain', worst)
  redis.call('HDEL', reservations, id)
  redis.call('HINCRBY', counters, 'uncertain_calls', 1)
  redis.call('HSET', uncertain_of(reservations), id, packed)
end

-- Takes a call out of the uncertain ones: it was not billed. Returns whether it was uncertain.
local function release_uncertain(reservations, counters, id)
  local packed = redis.call('HGET', uncertain_of(reservations), id)
  if not packed then return false end
  local worst, _, scopes = unpack_reservation(packed)
  for _, scope in ipairs(scopes) do redis.call('HINCRBY', scope, 'uncertain', minus(worst)) end
  redis.call('HDEL', uncertain_of(reservations), id)
  redis.call('HINCRBY', counters, 'uncertain_calls', -1)
  return true
end

-- Leaves the rest of a reservation uncertain after its broken stream was booked as far as it was reported. Nothing is left of
-- a reservation of nothing. Returns the rest.
local function keep_rest(k, call, packed, worst, was_open)
  local rest = math.max(0, tonumber(worst) - tonumber(call.nano))
  local at = string.match(packed, '^%d+|(%d+)')
  local _, _, scopes = unpack_reservation(packed)
  if rest > 0 then
    local reported = call.nano .. ',' .. table.concat(call.usage, ',')
    local left = string.format('%.0f', rest) .. '|' .. at .. '|+' .. reported .. '|' .. table.concat(scopes, '|')
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
  local nano, tokens, count, calls_booked, is_answered = 0, 0, 0, 0, false
  for i, call in ipairs(calls) do
    local is_open = held[i] and true or false
    local packed = held[i] or redis.call('HGET', uncertain_of(k.reservations), call.reservation)
    local reported = packed and reported_of(packed)
    booked[i] = packed and not (reported and call.broken) and true or false
    if booked[i] then
      local worst, scopes = string.match(packed, '^(%d+)|%d+|(.*)$')
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
      if not call.broken then is_answered = true end
      local counted = reported and 0 or 1
      count, calls_booked, nano = count + 1, calls_booked + counted, nano + cost
      local own = 0
      for m, measure in ipairs({ 'input', 'cache_write', 'cache_read', 'output' }) do
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
      if string.sub(scope, 1, 1) ~= '+' then
        for field, amount in pairs(amounts) do add(sums, scope, field, amount) end
      end
    end
  end
  add(sums, k.ledger, row .. 'nano', nano)
  add(sums, k.totals, vendor .. ':nano', nano)
  add(sums, k.totals, vendor .. ':tokens', tokens)
  if nano > 0 then add(sums, k.reservations .. ':booked', vendor, nano) end -- the fleet's own part of `cost:*`, of every session
  write_sums(sums)
  if redis.call('HINCRBY', k.ledger, row .. 'calls', string.format('%.0f', calls_booked)) == calls_booked then
    redis.call('SADD', k.ledger_days, string.match(k.ledger, '[^:]+$')) -- the day of the ledger, which reports look up
  end
  -- Another program may have stored a value that is no number. The paid reply must be stored nevertheless.
  local total = nano > 0 and redis.pcall('INCRBYFLOAT', k.cost, string.format('%.9f', nano / 1e9))
  if type(total) == 'table' and total.err then redis.call('HINCRBY', k.counters, 'public_total_unreadable', 1) end
  -- The provider answers again: ends the outage's cooldown and the queue's pause for it. The cooldown of a rate limit remains.
  if is_answered and redis.call('DEL', k.outage) == 1 and redis.call('GET', k.cooldown) ~= 'rate-limit' and redis.call('DEL', k.cooldown) == 1 then
    redis.call('DEL', string.match(k.lock, '^(.*:)[^:]*:lock$') .. 'limiter')
  end
  return booked
end

-- Books one call. Returns whether it was booked.
local function book(k, a) return book_calls(k, a.row, a.vendor, { a })[1] end
