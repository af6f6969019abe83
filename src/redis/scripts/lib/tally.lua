-- Counts for `/metrics`, in the hash `metrics`: `<kind>|<label>…` → whole number. `dashboards/metrics/tally-metrics.ts` lists the kinds.
-- Nothing depends on them: a key of another kind costs the counts, never the step.

-- Upper bounds of the histograms, ms. A field holds the bound itself, so that other bounds of another version do no harm.
local BOUNDS = { 100, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 900000, 3600000, 21600000 }

local function count(tallies, field, amount) tallies[field] = (tallies[field] or 0) + amount end

-- Counts one duration, ms; nil: it is not known, and the event is counted without it. `own`: labels of the event that its duration does not have.
local function count_time(tallies, kind, labels, own, ms)
  local bound = ms and 'inf' or 'none'
  if ms then
    ms = math.max(0, ms)
    for _, upper in ipairs(BOUNDS) do
      if ms <= upper then
        bound = upper
        break
      end
    end
    count(tallies, kind .. '_ms|' .. labels, ms)
  end
  count(tallies, kind .. '|' .. labels .. own .. '|' .. bound, 1)
end

-- The queue of a job, by the key of its lock. All jobs of a step have the same one.
local function queue_of(lock) return string.match(lock, '^.*:([^:]*):[^:]*:lock$') or '' end

-- Counts the end of a job, with the time since its first call began (`begun`, as its turns hold it).
local function count_end(tallies, queue, begun, outcome, now)
  count_time(tallies, 'job', queue, '|' .. outcome, type(begun) == 'string' and now - begun or nil)
end

-- When the first call of a job began; the key may be damaged.
local function begun_of(turns) return redis.pcall('HGET', turns, 'begun') end

local function write_tallies(metrics, tallies)
  for field, amount in pairs(tallies) do redis.pcall('HINCRBY', metrics, field, string.format('%.0f', amount)) end
end
