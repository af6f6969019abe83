-- close-reservation: gives a reservation back (mode `release`: the call was not sent or not billed) or keeps it booked as uncertain (mode `uncertain`).
--@keys 3
local turns, reservations, counters = KEYS[1], KEYS[2], KEYS[3]
local id, mode = ARGV[1], ARGV[2]
--@include booking
local packed = redis.call('HGET', reservations, id)
if not packed then return 0 end
if mode == 'uncertain' then
  make_uncertain(reservations, counters, turns, id, packed)
else
  close_scopes(packed, 'reserved', '0')
  redis.call('HDEL', reservations, id)
end
if redis.call('HGET', turns, 'reservation') == id then redis.call('HSET', turns, 'reservation', '') end
return 1
