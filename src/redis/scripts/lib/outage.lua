-- A model's failures in a row. `outage` is their count, `outage_row` their id, followed by `@` and since when the provider is
-- silent, ms (0: it is not). A row may begin before its first failure is counted; the version before wrote only the id.

-- Returns the id of the row, which begins if there is none; '' for one of a still older version. `silent_since` is of this failure.
local function row_of(outage, outage_row, fresh, silent_since)
  if redis.call('SETNX', outage, '0') == 1 then redis.call('SET', outage_row, fresh .. '@0') end
  local id, since = string.match(redis.call('GET', outage_row) or '', '^([^@]*)@?(%d*)$')
  if tonumber(silent_since) > (tonumber(since) or 0) then redis.call('SET', outage_row, id .. '@' .. silent_since) end
  return id
end

-- Ends the row by an answer to a call that began at `from`, ms. One from before the silence was on its way all the time: it does
-- not show that the provider answers again. Returns whether there was a row and it ended.
local function end_row(outage, outage_row, from)
  if redis.call('EXISTS', outage) == 0 then return false end
  local since = string.match(redis.call('GET', outage_row) or '', '@(%d+)$')
  if from < (tonumber(since) or 0) then return false end
  return redis.call('DEL', outage) == 1
end
