-- settle-uncertain: settles one uncertain call at what it cost, as a person or the provider's report says, and keeps a record of that.
-- `job` and `logs` are given if the call's job may still exist.
--@keys reservations counters ledgers totals cost ledger_days settlements metrics [job] [logs]
--@answers settled | changed (it was settled meanwhile, or its reply came)
local a = cjson.decode(ARGV[1])
local MOST_SETTLEMENTS = 1000
--@include clock
--@include reservation
--@include tally
--@include booking
if redis.call('HGET', uncertain_of(reservations), a.id) ~= a.packed then
  -- Its own record among the last ones: the client sent it twice because its connection broke.
  if redis.call('LPOS', settlements, a.record, 'RANK', -1, 'MAXLEN', 100) then return 'settled' end
  return 'changed'
end
close_uncertain(reservations, counters, a.id, a.nano)
if a.nano ~= '0' then
  local k = { reservations = reservations, counters = counters, ledgers = ledgers, totals = totals, cost = cost, ledger_days = ledger_days, metrics = metrics }
  local sums, usage, tokens = {}, {}, 0
  for m, amount in ipairs(a.usage) do
    usage[m] = tonumber(amount)
    tokens = tokens + usage[m]
  end
  if a.apart then add_apart(sums, totals, ledgers .. a.day, a, a.nano, a.calls, usage) end
  local group = { scopes = '', day = a.day, reserved = 0, uncertain = 0, nano = tonumber(a.nano), calls = tonumber(a.calls), tokens = tokens, usage = usage }
  add_cost(k, sums, {}, a.row, a.vendor, { group })
end
redis.call('RPUSH', settlements, a.record)
redis.call('LTRIM', settlements, -MOST_SETTLEMENTS, -1)
if job and redis.call('EXISTS', job) == 1 then redis.call('RPUSH', logs, a.log) end
return 'settled'
