-- The record of a job, by its stored turns: most first calls have nothing to add, and are not given its name.
local function run_of(turns) return (string.gsub(turns, ':turns:', ':run:', 1)) end

-- Adds to the record of a job (`run`, a list) what a run noted. `record`: seconds that it is kept, then the entries; none: nothing is new.
-- People read it, nothing depends on it: a key of another kind costs the entries, never the step.
local function note_run(run, record)
  if not record or #record < 2 then return end
  local length = redis.pcall('RPUSH', run, unpack(record, 2))
  if type(length) ~= 'number' then return end
  if length > 500 then redis.call('LTRIM', run, -500, -1) end
  redis.call('EXPIRE', run, record[1])
end
