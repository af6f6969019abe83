-- current-session: begins a session if a new name is given, or if the day has changed and the session has no given name. cost:* then counts from 0.
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
    -- Subtracted, not overwritten: this keeps what another program adds at the same time, and a value that is no number.
    redis.pcall('INCRBYFLOAT', cost, string.sub(value, 1, 1) == '-' and string.sub(value, 2) or '-' .. value)
  end
end
redis.call('DEL', session, booked, totals) -- the totals count from 0 too; the ledger keeps the cost of an earlier session of this name
redis.call('HSET', session, 'name', name, 'startedAt', now, 'explicit', ARGV[3] == '' and '0' or '1', 'findings', 0)
return name
