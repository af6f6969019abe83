-- close-reservation: releases a reservation (mode `release`: the call was not sent or not billed), or books it as uncertain (mode `uncertain`).
-- `call`: JSON {labels, outcome, ms} of a call that failed; none: no call was made.
--@keys turns reservations counters metrics
--@answers number: 1, or 0 if it was closed before
local id, mode, call = ARGV[1], ARGV[2], ARGV[3]
--@include reservation
--@include tally
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
if call then
  local failed, tallies = cjson.decode(call), {}
  count_time(tallies, 'call', failed.labels, '|' .. failed.outcome, failed.ms)
  write_tallies(metrics, tallies)
end
return 1
