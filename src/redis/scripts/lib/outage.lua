-- Returns an id of the model's failures in a row, or '' for one that began under an older version. An answer ends the row: it
-- deletes `outage`, the count. A row may begin before its first failure is counted.
local function row_of(outage, outage_row, fresh)
  if redis.call('SETNX', outage, '0') == 1 then redis.call('SET', outage_row, fresh) end
  return redis.call('GET', outage_row) or ''
end
