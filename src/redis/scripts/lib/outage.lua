-- A model's failures in a row; all times are ms of Redis' clock. `outage` is their count. `outage_row` holds their `id`; `since` when the provider is silent, ms
-- (0: it is not); how many calls were `silent`; and the id of the last row in which several were, `shared`. A row may begin before
-- its first failure is counted. Of an older version there may be only the count.

local function begin_row(outage, outage_row, fresh)
  if redis.call('SETNX', outage, '0') == 1 then redis.call('HSET', outage_row, 'id', fresh, 'since', 0, 'silent', 0) end
end

local function silent_since(outage_row) return tonumber(redis.call('HGET', outage_row, 'since') or '0') end

local function note_silence(outage_row, since)
  if since > silent_since(outage_row) then redis.call('HSET', outage_row, 'since', string.format('%.0f', since)) end
end

-- Ends the row by an answer to a call that began at `from`, ms. One from before the silence was on its way all the time: it does
-- not show that the provider answers again. Returns whether there was a row and it ended.
local function end_row(outage, outage_row, from)
  if redis.call('EXISTS', outage) == 0 or from < silent_since(outage_row) then return false end
  return redis.call('DEL', outage) == 1
end
