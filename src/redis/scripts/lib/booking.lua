-- The arithmetic of money. All amounts are whole nano-dollars; a packed reservation is `worst|reserved at|scope key|scope key…`.

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

local function unpack_reservation(packed)
  local parts = {}
  for part in string.gmatch(packed, '[^|]+') do parts[#parts + 1] = part end
  return parts[1], parts
end

-- In every scope of a reservation, subtracts its worst case from `reserved` and adds `amount` to `field`.
local function close_scopes(packed, field, amount)
  local worst, parts = unpack_reservation(packed)
  for i = 3, #parts do
    redis.call('HINCRBY', parts[i], 'reserved', minus(worst))
    if amount ~= '0' then redis.call('HINCRBY', parts[i], field, amount) end
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

-- Books an uncertain call at its real cost, which is known now. Returns whether the call was uncertain.
local function resolve_uncertain(reservations, counters, id, amount)
  local packed = redis.call('HGET', uncertain_of(reservations), id)
  if not packed then return false end
  local worst, parts = unpack_reservation(packed)
  for i = 3, #parts do
    redis.call('HINCRBY', parts[i], 'uncertain', minus(worst))
    if amount ~= '0' then redis.call('HINCRBY', parts[i], 'settled', amount) end
  end
  redis.call('HDEL', uncertain_of(reservations), id)
  redis.call('HINCRBY', counters, 'uncertain_calls', -1)
  return true
end

-- Books the served calls of one step: closes their reservations, and adds to the ledger row, the session's totals and the
-- public total. Each call has reservation, nano and usage (input, cache_write, cache_read, output); a free one also list_nano.
-- Returns for each whether it was booked. False: it was booked before; a client sends a command again after its connection broke.
local function book_calls(k, row, vendor, calls)
  local ids = {}
  for i, call in ipairs(calls) do ids[i] = call.reservation end
  local held = redis.call('HMGET', k.reservations, unpack(ids))
  local booked, closed, sums, by_scopes = {}, {}, {}, {}
  local nano, tokens, count = 0, 0, 0
  for i, call in ipairs(calls) do
    local packed = held[i]
    if packed then
      closed[#closed + 1] = call.reservation
      local worst, scopes = string.match(packed, '^(%d+)|%d+|(.*)$')
      add(by_scopes, scopes, 'worst', worst) -- most reservations of one step were made in the same scopes
      add(by_scopes, scopes, 'nano', call.nano)
      booked[i] = true
    else
      booked[i] = resolve_uncertain(k.reservations, k.counters, call.reservation, call.nano)
    end
    if booked[i] then
      count, nano = count + 1, nano + tonumber(call.nano)
      for m, measure in ipairs({ 'input', 'cache_write', 'cache_read', 'output' }) do
        local amount = tonumber(call.usage[m])
        if amount > 0 then add(sums, k.ledger, row .. measure, amount) end
        tokens = tokens + amount
      end
      if call.apart then -- a call of no task: planning, synthesis
        add(sums, k.totals, call.apart .. ':nano', call.nano)
        add(sums, k.totals, call.apart .. ':calls', 1)
        for m = 1, 4 do add(sums, k.totals, call.apart .. ':tokens', call.usage[m]) end
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
      add(sums, scope, 'reserved', -amounts.worst)
      add(sums, scope, 'settled', amounts.nano)
    end
  end
  add(sums, k.ledger, row .. 'nano', nano)
  add(sums, k.totals, vendor .. ':nano', nano)
  add(sums, k.totals, vendor .. ':tokens', tokens)
  if nano > 0 then add(sums, k.reservations .. ':booked', vendor, nano) end -- the fleet's own part of `cost:*`, of every session
  write_sums(sums)
  if redis.call('HINCRBY', k.ledger, row .. 'calls', string.format('%.0f', count)) == count then
    redis.call('SADD', k.ledger_days, string.match(k.ledger, '[^:]+$')) -- the day of the ledger, which reports look up
  end
  -- Another program may have stored a value that is no number. The paid reply must be stored nevertheless.
  local total = nano > 0 and redis.pcall('INCRBYFLOAT', k.cost, string.format('%.9f', nano / 1e9))
  if type(total) == 'table' and total.err then redis.call('HINCRBY', k.counters, 'public_total_unreadable', 1) end
  -- The provider answers again: ends the outage's cooldown and the queue's pause for it. The cooldown of a rate limit remains.
  if redis.call('DEL', k.outage) == 1 and redis.call('GET', k.cooldown) ~= 'rate-limit' and redis.call('DEL', k.cooldown) == 1 then
    redis.call('DEL', string.match(k.lock, '^(.*:)[^:]*:lock$') .. 'limiter')
  end
  return booked
end

-- Books one call. Returns whether it was booked.
local function book(k, a) return book_calls(k, a.row, a.vendor, { a })[1] end
