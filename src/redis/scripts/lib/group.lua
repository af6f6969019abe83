-- Several jobs in one step. KEYS are `shared.keys` keys of all, then `shared.own` keys of each, whose names the script's line
-- `--@own` puts into OWN; ARGV[1] is JSON of the shared fields and of each job's; ARGV[i + 1] is the long text of job i.
local shared, jobs = unpack(cjson.decode(ARGV[1]))

-- Key of job i, by its name; nil for one that the jobs of this step do not bring.
local function own_key(i, name)
  local place = OWN[name]
  if place <= shared.own then return KEYS[shared.keys + (i - 1) * shared.own + place] end
end

local function own_keys(name)
  local found = {}
  for i = 1, #jobs do found[i] = own_key(i, name) end
  return found
end
