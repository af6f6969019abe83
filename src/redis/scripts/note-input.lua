-- note-input: lowers what is held for a call that is out, to the most that it can cost now that its provider has reported its prompt.
--@keys reservations
--@answers number: 1, or 0: the call has ended, its stream broke, or no more than this is held
local id, most = ARGV[1], ARGV[2]
--@include reservation
local function lower(held, field)
  local packed = redis.call('HGET', held, id)
  if not packed or reported_of(packed) then return 0 end
  local worst, _, scopes = unpack_reservation(packed)
  if tonumber(worst) <= tonumber(most) then return 0 end
  for _, scope in ipairs(scopes) do
    if is_there(scope) then redis.call('HINCRBY', scope, field, string.format('%.0f', tonumber(most) - tonumber(worst))) end
  end
  redis.call('HSET', held, id, most .. string.sub(packed, #worst + 1))
  return 1
end
-- Another process may have booked the call as uncertain, because this one seemed dead.
return math.max(lower(reservations, 'reserved'), lower(uncertain_of(reservations), 'uncertain'))
