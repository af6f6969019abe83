-- settle-turn: books one served call and stores its reply, in one step. Answers stored | booked (nothing to store) | lock-lost (booked all the same).
--@keys 12
local k = {
  turns = KEYS[1], lock = KEYS[2], reservations = KEYS[3], counters = KEYS[4], spend = KEYS[5], ledger = KEYS[6],
  totals = KEYS[7], cost = KEYS[8], outage = KEYS[9], cooldown = KEYS[10], logs = KEYS[11], ledger_days = KEYS[12],
}
local a = cjson.decode(ARGV[1])
local token, field, job_totals, reply = a.token, a.field, a.totals, ARGV[2]
--@include booking
--@include lock
--@include note
local fresh = book(k, a)
if not has_job(k.lock, token, a.worker) then
  -- Somebody else works this job now. The reply is paid for: keep it for them if they have none and still need it.
  if reply ~= '' and redis.call('EXISTS', k.turns) == 1 then redis.call('HSETNX', k.turns, field, reply) end
  return 'lock-lost'
end
if fresh and token ~= '' then
  local prefix, job = string.match(k.lock, '^(.*:)([^:]*):lock$')
  note_turn(k.lock, k.logs, a.log, a.progress, job, prefix .. 'events')
end
if reply == '' then
  redis.call('HSET', k.turns, 'reservation', '', 'totals', job_totals)
  return 'booked'
end
redis.call('HSET', k.turns, field, reply, 'reservation', '', 'totals', job_totals)
return 'stored'
