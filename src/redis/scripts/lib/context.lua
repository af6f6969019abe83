-- `context:active` is public: another program may store a value that is no whole number, or remove it. This must not end a step that
-- has booked money or moved a finding; the value is then not changed. `recount` asks the upkeep to count it anew: also where the
-- key was missing, which shows as a total that is nothing but this amount.
local function count_tokens(key, amount)
  local total = redis.pcall('INCRBY', key, amount)
  local is_number = type(total) == 'number'
  if is_number and total < 0 then redis.call('SET', key, '0') end
  if not is_number or total < 0 or total == tonumber(amount) then
    redis.call('SET', (string.match(key, '^({[^}]*}:)') or '{fleet}:') .. 'recount', '1')
  end
end
