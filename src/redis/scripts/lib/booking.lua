-- Shared money arithmetic. All amounts are whole nano-dollars; a packed reservation is `worst|now|scope key|scope key…`.

local function unpack_reservation(packed)
  local parts = {}
  for part in string.gmatch(packed, '[^|]+') do parts[#parts + 1] = part end
  return parts[1], parts
end

-- Takes the worst case out of `reserved` and puts `amount` into `field` of every scope the reservation was made in.
local function close_scopes(packed, field, amount)
  local worst, parts = unpack_reservation(packed)
  for i = 3, #parts do
    redis.call('HINCRBY', parts[i], 'reserved', '-' .. worst)
    if amount ~= '0' then redis.call('HINCRBY', parts[i], field, amount) end
  end
end

-- The call may have been served: its worst case stays booked, apart. `turns` remembers it in case the reply comes late.
local function make_uncertain(reservations, counters, turns, id, packed)
  local worst, parts = unpack_reservation(packed)
  close_scopes(packed, 'uncertain', worst)
  redis.call('HDEL', reservations, id)
  redis.call('HINCRBY', counters, 'uncertain_calls', 1)
  redis.call('HSET', turns, 'u:' .. id, packed)
end

-- Books one served call: closes its reservation, adds to the ledger row, the session's totals and the public total.
-- usage: input, cache_write, cache_read, output
local function book(k, a)
  local packed = redis.call('HGET', k.reservations, a.reservation)
  if packed then
    redis.call('HDEL', k.reservations, a.reservation)
    close_scopes(packed, 'settled', a.nano)
  else
    packed = redis.call('HGET', k.turns, 'u:' .. a.reservation)
    if packed then
      local worst, parts = unpack_reservation(packed)
      for i = 3, #parts do
        redis.call('HINCRBY', parts[i], 'uncertain', '-' .. worst)
        redis.call('HINCRBY', parts[i], 'settled', a.nano)
      end
      redis.call('HDEL', k.turns, 'u:' .. a.reservation)
      redis.call('HINCRBY', k.counters, 'uncertain_calls', -1)
    else
      redis.call('HINCRBY', k.spend, 'settled', a.nano)
    end
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
  redis.call('HINCRBY', k.totals, a.vendor .. ':tokens', tokens)
  if a.nano ~= '0' then redis.call('INCRBYFLOAT', k.cost, a.usd) end
  if redis.call('DEL', k.outage) == 1 then redis.call('DEL', k.cooldown) end
end
