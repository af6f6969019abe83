-- note-activity: notes for `fleet monitor` what a process has done, once for each call.
--@keys activity once
--@answers number: 1, or 0 if this call has noted before
--@include once
--@include activity
local call, what, id, text, batch, mission, worker = unpack(ARGV)
if has_run(once, call) then return 0 end
note_activity(activity, what, id, text, batch, mission, worker)
return 1
