-- Shared money arithmetic. All amounts are whole nano-dollars; a packed reservation is `worst|now|scope key|scope key…`.

-- Amounts that many calls of one step add to the same field are written once.
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
      redis.call('HINCRBY', key, field, amount == 0 and '0' or string.format('%.0f', amount)) -- Redis takes no `-0`
    end
  end
end

-- A free call reserves nothing.
local function minus(amount) return amount == '0' and '0' or '-' .. amount end

local function unpack_reservation(packed)
  local parts = {}
  for part in string.gmatch(packed, '[^|]+') do parts[#parts + 1] = part end
  return parts[1], parts
end

-- Takes the worst case out of `reserved` and puts `amount` into `field` of every scope the reservation was made in.
local function close_scopes(packed, field, amount)
  local worst, parts = unpack_reservation(packed)
  for i = 3, #parts do
    redis.call('HINCRBY', parts[i], 'reserved', minus(worst))
    if amount ~= '0' then redis.call('HINCRBY', parts[i], field, amount) end
  end
end

-- Hash of the reservations that became uncertain, by id, in case their reply comes late. The same slot as `reservations`.
local function uncertain_of(reservations) return reservations .. ':uncertain' end

-- The call may have been served: its worst case stays booked, apart.
local function make_uncertain(reservations, counters, id, packed)
  local worst = unpack_reservation(packed)
  close_scopes(packed, 'uncertain', worst)
  redis.call('HDEL', reservations, id)
  redis.call('HINCRBY', counters, 'uncertain_calls', 1)
  redis.call('HSET', uncertain_of(reservations), id, packed)
end

-- Takes an uncertain call out of the books again: what became of it is known now. Answers whether it was there.
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

-- Books the served calls of one step: closes their reservations, adds to the ledger row, the session's totals and the public
-- total. Each call has reservation, nano and usage (input, cache_write, cache_read, output), and list_nano where it was free.
-- Answers for each whether it was booked; not where it is booked already: a connection that broke sends again what it had no answer to.
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
      for at, measure in ipairs({ 'input', 'cache_write', 'cache_read', 'output' }) do
        local amount = tonumber(call.usage[at])
        if amount > 0 then add(sums, k.ledger, row .. measure, amount) end
        tokens = tokens + amount
      end
      if call.apart then -- a call that is no task's: planning, synthesis
        add(sums, k.totals, call.apart .. ':nano', call.nano)
        add(sums, k.totals, call.apart .. ':calls', 1)
        for at = 1, 4 do add(sums, k.totals, call.apart .. ':tokens', call.usage[at]) end
      end
      if call.list_nano then -- a free call: what it would have cost, shown apart
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
  if nano > 0 then add(sums, k.reservations .. ':booked', vendor, nano) end -- what of `cost:*` is ours, whatever session it is of
  write_sums(sums)
  if redis.call('HINCRBY', k.ledger, row .. 'calls', string.format('%.0f', count)) == count then
    redis.call('SADD', k.ledger_days, string.match(k.ledger, '[^:]+$')) -- the day, so that reports find its ledger
  end
  -- Another program may have left there what is no number: the reply is paid for, and is stored all the same.
  local total = nano > 0 and redis.pcall('INCRBYFLOAT', k.cost, string.format('%.9f', nano / 1e9))
  if type(total) == 'table' and total.err then redis.call('HINCRBY', k.counters, 'public_total_unreadable', 1) end
  -- The provider answers again: the model is free, and so is a queue that stopped for it. What a rate limit asked for stays.
  if redis.call('DEL', k.outage) == 1 and redis.call('GET', k.cooldown) ~= 'rate-limit' and redis.call('DEL', k.cooldown) == 1 then
    redis.call('DEL', string.match(k.lock, '^(.*:)[^:]*:lock$') .. 'limiter')
  end
  return booked
end

-- One call on its own. Answers whether it was booked.
local function book(k, a) return book_calls(k, a.row, a.vendor, { a })[1] end
