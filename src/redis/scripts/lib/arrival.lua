-- Notes when a finding came whose instant does not tell it: of another program, imported, or sent again after an outage. Rules whose
-- events were trimmed look for it there. While there are no rules, nothing is noted. The names of both keys are derived from the
-- index's. `now`: Redis' clock. Never fails: a damaged key must not end a step that has stored a finding.
local LATE_MS = 5000
local function note_arrival(index, id, at, now)
  if now - tonumber(at) <= LATE_MS then return end
  local own = string.match(index, '^{[^}]*}:')
  if redis.call('EXISTS', own .. 'rules') == 0 then return end
  redis.pcall('ZADD', own .. 'arrivals', string.format('%.0f', now), id)
end
