-- Shared money arithmetic. All amounts are whole nano-dollars; a packed reservation is `worst|now|scope key|scope key…`.

-- Redis takes no `-0`: a free call reserves nothing.
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

-- Books one served call: closes its reservation, adds to the ledger row, the session's totals and the public total.
-- Answers false where it is booked already: a connection that broke sends again what it had no answer to.
-- usage: input, cache_write, cache_read, output
local function book(k, a)
  local packed = redis.call('HGET', k.reservations, a.reservation)
  if packed then
    redis.call('HDEL', k.reservations, a.reservation)
    close_scopes(packed, 'settled', a.nano)
  elseif not resolve_uncertain(k.reservations, k.counters, a.reservation, a.nano) then
    return false
  end
  local row, tokens = a.row, 0
  redis.call('HINCRBY', k.ledger, row .. 'nano', a.nano)
  if redis.call('HINCRBY', k.ledger, row .. 'calls', 1) == 1 then
    redis.call('SADD', k.ledger_days, string.match(k.ledger, '[^:]+$')) -- the day, so that reports find its ledger
  end
  for i, measure in ipairs({ 'input', 'cache_write', 'cache_read', 'output' }) do
    local amount = a.usage[i]
    if amount ~= '0' then
      redis.call('HINCRBY', k.ledger, row .. measure, amount)
      tokens = tokens + tonumber(amount)
    end
  end
  redis.call('HINCRBY', k.totals, a.vendor .. ':nano', a.nano)
  if a.list_nano then -- a free call: what it would have cost, shown apart
    redis.call('HINCRBY', k.ledger, row .. 'list_nano', a.list_nano)
    redis.call('HINCRBY', k.totals, a.vendor .. ':list_nano', a.list_nano)
  end
  redis.call('HINCRBY', k.totals, a.vendor .. ':tokens', tokens)
  if a.apart then -- a call that is no task's: planning, synthesis
    redis.call('HINCRBY', k.totals, a.apart .. ':nano', a.nano)
    redis.call('HINCRBY', k.totals, a.apart .. ':tokens', tokens)
    redis.call('HINCRBY', k.totals, a.apart .. ':calls', 1)
  end
  if a.nano ~= '0' then redis.call('INCRBYFLOAT', k.cost, a.usd) end
  -- The provider answers again: the model is free, and so is a queue that stopped for it. What a rate limit asked for stays.
  if redis.call('DEL', k.outage) == 1 and redis.call('GET', k.cooldown) ~= 'rate-limit' and redis.call('DEL', k.cooldown) == 1 then
    redis.call('DEL', string.match(k.lock, '^(.*:)[^:]*:lock$') .. 'limiter')
  end
  return true
end
