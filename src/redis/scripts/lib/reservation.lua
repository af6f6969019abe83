-- The arithmetic of reservations. All amounts are whole nano-dollars. A packed reservation is `worst|reserved at|part|part…`. A
-- part is the key of a scope; or `=` and what `fleet costs` books the call by, which `stamp.ts` reads; or, of an uncertain call,
-- `+nano,input,cache_write,cache_read,output`: what a broken stream had reported, which is booked already. The worst case is then
-- that of the rest.

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

local function is_scope(part) return not string.find(part, '^[+=]') end

-- Returns the worst case, the time of the reservation, and the keys of its scopes.
local function unpack_reservation(packed)
  local worst, at, rest = string.match(packed, '^(%d+)|(%d+)(.*)$')
  local scopes = {}
  for part in string.gmatch(rest, '[^|]+') do
    if is_scope(part) then scopes[#scopes + 1] = part end
  end
  return worst, at, scopes
end

-- Returns the UTC day whose budget the reservation counts against. Every version puts the day first of the scopes. Needs `clock`.
local function reserved_day(packed)
  return string.match(packed, '|[^|=+][^|]*:spend:day:(%d%d%d%d%-%d%d%-%d%d)') or day_of(clock())
end

-- Returns what a broken stream of this call had reported: nano, then its four counts of tokens. Nil: nothing.
local function reported_of(packed)
  local text = string.match(packed, '|%+([%d,]+)')
  if not text then return nil end
  local amounts = {}
  for amount in string.gmatch(text, '%d+') do amounts[#amounts + 1] = tonumber(amount) end
  return amounts
end

-- Whether a scope still counts. That of a task that has ended, or of a day long ago, is gone: a late amount must not make it anew.
local function is_there(scope) return redis.call('EXISTS', scope) == 1 end

-- In every scope of a reservation, subtracts its worst case from `reserved` and adds `amount` to `field`.
local function close_scopes(packed, field, amount)
  local worst, _, scopes = unpack_reservation(packed)
  for _, scope in ipairs(scopes) do
    if is_there(scope) then
      redis.call('HINCRBY', scope, 'reserved', minus(worst))
      if amount ~= '0' then redis.call('HINCRBY', scope, field, amount) end
    end
  end
end

-- Key of the hash of reservations that became uncertain, by id, in case their reply comes late. In the same slot as `reservations`.
local function uncertain_of(reservations) return reservations .. ':uncertain' end

-- Books a call that may have been served as uncertain, at its worst case. A call that can cost nothing is closed: nothing is left to find out.
local function make_uncertain(reservations, counters, id, packed)
  local worst = unpack_reservation(packed)
  close_scopes(packed, 'uncertain', worst)
  redis.call('HDEL', reservations, id)
  if worst == '0' then return end
  redis.call('HINCRBY', counters, 'uncertain_calls', 1)
  redis.call('HSET', uncertain_of(reservations), id, packed)
end

-- Books the call that the turns of a job name as theirs (`named`) as uncertain, unless it is closed: nothing else would close it once they
-- are gone.
local function close_named(named, reservations, counters)
  local packed = type(named) == 'string' and redis.call('HGET', reservations, named)
  if packed then make_uncertain(reservations, counters, named, packed) end
end

-- The same by the key of the turns, which may be damaged, and goes all the same.
local function close_last(turns, reservations, counters) close_named(redis.pcall('HGET', turns, 'reservation'), reservations, counters) end

-- Takes a call out of the uncertain ones, and settles it at `amount`. Returns whether it was uncertain.
local function close_uncertain(reservations, counters, id, amount)
  local packed = redis.call('HGET', uncertain_of(reservations), id)
  if not packed then return false end
  local worst, _, scopes = unpack_reservation(packed)
  for _, scope in ipairs(scopes) do
    if is_there(scope) then
      redis.call('HINCRBY', scope, 'uncertain', minus(worst))
      if amount ~= '0' then redis.call('HINCRBY', scope, 'settled', amount) end
    end
  end
  redis.call('HDEL', uncertain_of(reservations), id)
  redis.call('HINCRBY', counters, 'uncertain_calls', -1)
  return true
end
