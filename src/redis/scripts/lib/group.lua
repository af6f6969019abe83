-- Runs several jobs in one step. KEYS: `shared.keys` keys of all jobs, then `shared.own` keys of each; OWN holds their names
-- from the script's line `--@own`. ARGV[1]: JSON of the shared fields and of each job's fields. ARGV[i + 1]: the long text of job i.
local shared, jobs = unpack(cjson.decode(ARGV[1]))

-- Returns a key of job i by its name; nil: the jobs of this step do not have it.
local function own_key(i, name)
  local place = OWN[name]
  if place <= shared.own then return KEYS[shared.keys + (i - 1) * shared.own + place] end
end

local function own_keys(name)
  local found = {}
  for i = 1, #jobs do found[i] = own_key(i, name) end
  return found
end
