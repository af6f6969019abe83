-- settle-uncertain: settles one uncertain call at what it cost, as a person or the provider's report says, and keeps a record of that.
-- `job` and `logs` are given if the call's job may still exist.
--@keys reservations counters ledger totals cost ledger_days settlements [job] [logs]
--@answers settled | changed (it was settled meanwhile, or its reply came)
local a = cjson.decode(ARGV[1])
local MOST_SETTLEMENTS = 1000
--@include reservation
--@include booking
if redis.call('HGET', uncertain_of(reservations), a.id) ~= a.packed then return 'changed' end
close_uncertain(reservations, counters, a.id, a.nano)
if a.nano ~= '0' then
  local k = { reservations = reservations, counters = counters, ledger = ledger, totals = totals, cost = cost, ledger_days = ledger_days }
  local sums, tokens = {}, 0
  for m, measure in ipairs(MEASURES) do
    local amount = tonumber(a.usage[m])
    if amount > 0 then add(sums, ledger, a.row .. measure, amount) end
    tokens = tokens + amount
  end
  if a.apart then
    add(sums, totals, a.apart .. ':nano', a.nano)
    add(sums, totals, a.apart .. ':calls', a.calls)
    add(sums, totals, a.apart .. ':tokens', tokens)
  end
  add_cost(k, sums, a.row, a.vendor, { nano = tonumber(a.nano), tokens = tokens, calls = tonumber(a.calls) })
end
redis.call('RPUSH', settlements, a.record)
redis.call('LTRIM', settlements, -MOST_SETTLEMENTS, -1)
if job and redis.call('EXISTS', job) == 1 then redis.call('RPUSH', logs, a.log) end
return 'settled'
