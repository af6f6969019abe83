-- pay-owed: adds to the public totals what could not be added while another program's value was in their place.
-- `costs`: the prefix of the public totals, to which the vendor is added.
--@keys owed booked costs cost_other
--@answers number: how many totals it brought up to date
local paid = 0
local all = redis.call('HGETALL', owed)
for i = 1, #all, 2 do
  local vendor, nano = all[i], tonumber(all[i + 1])
  local cost, missing = vendor == 'other' and cost_other or costs .. vendor, nano
  -- The key was removed, and with it what the fleet had added before.
  if nano and redis.call('EXISTS', cost) == 0 then missing = nano + tonumber(redis.call('HGET', booked, vendor) or '0') end
  local total = nano and redis.pcall('INCRBYFLOAT', cost, string.format('%.9f', missing / 1e9))
  if type(total) == 'string' then
    redis.call('HINCRBY', booked, vendor, string.format('%.0f', nano))
    redis.call('HDEL', owed, vendor)
    paid = paid + 1
  end
end
return paid
