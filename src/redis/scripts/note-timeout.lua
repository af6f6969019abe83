-- note-timeout: records that a call reached a time limit of the fleet, and tells whether it had reached the same one before.
-- Silence (`idle`) is the call's own only if no other call was silent in the same row, and if the model answered in between. Else it
-- is an outage, and counts as no repetition.
--@keys turns outage outage_row
--@answers first | repeated
local place, limit, nonce, silent_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
--@include clock
--@include outage
if redis.call('EXISTS', turns) == 0 then return 'first' end -- the job was removed meanwhile
local before = cjson.decode(redis.call('HGET', turns, 'timed_out') or '{}')
if before.nonce == nonce then return before.answer end -- the client sent it twice because its connection broke

begin_row(outage, outage_row, nonce)
local row, alone = redis.call('HGET', outage_row, 'id') or '', true
local is_same = before.place == place and before.limit == limit
if limit == 'idle' then
  note_silence(outage_row, clock() - silent_ms)
  local is_counted = before.limit == 'idle' and before.row == row
  alone = redis.call('HINCRBY', outage_row, 'silent', is_counted and 0 or 1) == 1
  if not alone then redis.call('HSET', outage_row, 'shared', row) end
  local was_alone = before.alone and before.row ~= redis.call('HGET', outage_row, 'shared')
  is_same = is_same and before.row ~= row and alone and was_alone
end
local answer = is_same and 'repeated' or 'first'
local noted = { nonce = nonce, place = place, limit = limit, row = row, alone = alone, answer = answer }
redis.call('HSET', turns, 'timed_out', cjson.encode(noted))
if answer == 'first' then return 'first' end
return 'repeated'
