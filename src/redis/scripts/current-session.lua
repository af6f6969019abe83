-- current-session: begins a session when a name is given, or when none was named and the day changed. cost:* counts from its beginning.
--@keys session cost_haiku cost_sonnet cost_gemini cost_other booked totals
--@answers text: name of the session in force
local today, now, name = ARGV[1], ARGV[2], ARGV[3]
local state = redis.call('HMGET', session, 'name', 'explicit')
if name == '' then
  if state[1] and (state[2] == '1' or state[1] == today) then return state[1] end
  name = today
elseif name == state[1] then
  return name
end
for _, cost in ipairs({ cost_haiku, cost_sonnet, cost_gemini, cost_other }) do
  local value = redis.pcall('GET', cost)
  if type(value) == 'string' then
    -- Taken out rather than overwritten: another program's addition in flight stays, and so does what is no number.
    redis.pcall('INCRBYFLOAT', cost, string.sub(value, 1, 1) == '-' and string.sub(value, 2) or '-' .. value)
  end
end
redis.call('DEL', session, booked, totals) -- its totals count from now too; the ledger keeps what an earlier session of this name cost
redis.call('HSET', session, 'name', name, 'startedAt', now, 'explicit', ARGV[3] == '' and '0' or '1', 'findings', 0)
return name
