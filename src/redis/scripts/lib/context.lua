-- `context:active` is public: another program may leave there what is no whole number. That must not end a step that has
-- booked money or moved a finding; the count stays as it was left.
local function count_tokens(key, amount)
  local total = redis.pcall('INCRBY', key, amount)
  if type(total) == 'number' and total < 0 then redis.call('SET', key, '0') end
end
