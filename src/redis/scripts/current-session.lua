-- current-session: begins a session if a new name is given, or if the day of Redis' clock has changed and the session has no given name. cost:* then counts from 0.
-- `costs`: the prefix of the public totals, to which the vendor is added. `booked` holds every vendor that was ever paid.
--@keys session costs cost_other booked totals
--@answers text: name of the session in force
--@include clock
local FIRST_ZONE_MS = 14 * 3600000 -- no day begins anywhere before it begins at UTC+14
local today, now, name = ARGV[1], ARGV[2], ARGV[3]
local state = redis.call('HMGET', session, 'name', 'explicit')
if name == '' then
  -- Processes of several time zones begin a day once: the first that reaches it. A day that has begun nowhere is a wrong clock's.
  local is_current = state[1] and state[1] >= today and state[1] <= day_of(clock() + FIRST_ZONE_MS)
  if state[1] and (state[2] == '1' or is_current) then return state[1] end
  name = today
elseif name == state[1] then
  return name
end
redis.call('HSET', session, 'name', name) -- first: a Redis that is full refuses the whole here
local vendors = { 'haiku', 'sonnet', 'gemini', 'other' } -- other programs may have added to these before the fleet pays any
local known = { haiku = true, sonnet = true, gemini = true, other = true }
for _, vendor in ipairs(redis.call('HKEYS', booked)) do
  if not known[vendor] then vendors[#vendors + 1] = vendor end
end
for _, vendor in ipairs(vendors) do
  local cost = vendor == 'other' and cost_other or costs .. vendor
  local value = redis.pcall('GET', cost)
  if type(value) == 'string' then
    -- Subtracted, not overwritten: this keeps what another program adds at the same time, and a value that is no number.
    redis.pcall('INCRBYFLOAT', cost, string.sub(value, 1, 1) == '-' and string.sub(value, 2) or '-' .. value)
  end
end
redis.call('DEL', session, string.gsub(booked, 'booked$', 'owed'), totals) -- the totals count from 0 too; the ledger keeps the cost of an earlier session of this name
for _, vendor in ipairs(vendors) do redis.call('HSET', booked, vendor, '0') end -- none is forgotten: the next session subtracts them, too
redis.call('HSET', session, 'name', name, 'startedAt', now, 'explicit', ARGV[3] == '' and '0' or '1', 'findings', 0)
return name
