-- Notes what happened, for `fleet monitor`, after the state is stored. `what`: see src/swarm/activity.ts. Never fails: a damaged
-- stream must not stop the step that it tells of. What was begun has a stream of its own, so that many tasks do not push the
-- halts of yesterday out.
local function note_activity(stream, what, id, text, batch, mission, worker)
  redis.pcall('XADD', stream, 'MAXLEN', '~', '10000', '*', 'what', what, 'id', id, 'text', text or '', 'batch', batch or '', 'mission', mission or '', 'worker', worker or '')
end
