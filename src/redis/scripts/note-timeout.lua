-- note-timeout: records that a call reached a time limit of the fleet, and tells whether it had reached the same one before.
-- Silence (`idle`) that no answer to another call has interrupted is an outage, and counts as no repetition.
--@keys turns outage outage_row
--@answers first | repeated
local place, limit, nonce, silent_since = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
--@include outage
if redis.call('EXISTS', turns) == 0 then return 'first' end -- the job was removed meanwhile
local row = row_of(outage, outage_row, nonce, silent_since)
local text = redis.call('HGET', turns, 'timed_out')
local answer = 'first'
if text then
  local before = cjson.decode(text)
  if before.nonce == nonce then return before.answer end -- the client sent it twice because its connection broke
  local is_same = before.place == place and before.limit == limit
  if is_same and (limit ~= 'idle' or before.row ~= row) then answer = 'repeated' end
end
redis.call('HSET', turns, 'timed_out', cjson.encode({ nonce = nonce, place = place, limit = limit, row = row, answer = answer }))
if answer == 'first' then return 'first' end
return 'repeated'
