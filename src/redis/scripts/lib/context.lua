-- `context:active` is public: another program may store a value that is no whole number. This must not end a step that has
-- booked money or moved a finding; the value is then not changed.
local function count_tokens(key, amount)
  local total = redis.pcall('INCRBY', key, amount)
  if type(total) == 'number' and total < 0 then redis.call('SET', key, '0') end
end
