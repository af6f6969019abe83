-- close-reservation: releases a reservation (mode `release`: the call was not sent or not billed), or books it as uncertain (mode `uncertain`).
--@keys turns reservations counters
--@answers number: 1, or 0 if it was closed before
local id, mode = ARGV[1], ARGV[2]
--@include reservation
if redis.call('HGET', turns, 'reservation') == id then redis.call('HSET', turns, 'reservation', '') end
local packed = redis.call('HGET', reservations, id)
if not packed then
  -- Another process booked the call as uncertain, because this one seemed dead. `release` still shows that nothing is to be paid.
  return mode == 'release' and close_uncertain(reservations, counters, id, '0') and 1 or 0
end
if mode == 'uncertain' then
  make_uncertain(reservations, counters, id, packed)
else
  close_scopes(packed, 'reserved', '0')
  redis.call('HDEL', reservations, id)
end
return 1
