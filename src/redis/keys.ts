/**
 * Every Redis key and channel of the fleet. No other file spells one.
 *
 * Public keys (read and written by other programs) have no prefix in the default swarm and `{acme}:` in swarm `acme`.
 * Private keys are always under the hash tag, so that one script may touch many of them on a Redis Cluster. No private
 * key may match `finding:*`, `task:*:claimed`, `worker:status:*` or `cost:*`.
 */
export interface Keys extends ReturnType<typeof createKeys> {}

/** The vendors' totals, which other programs read. */
export type CostVendor = 'haiku' | 'sonnet' | 'gemini' | 'other';

/** @param swarm name of the swarm; null is the default one */
export function createKeys(swarm: string | null) {
  const tag = swarm === null ? '{fleet}' : `{${swarm}}`;
  const open = swarm === null ? '' : `${tag}:`;
  const own = (name: string): string => `${tag}:${name}`;
  return {
    swarm: swarm ?? 'fleet',
    /** BullMQ's `prefix` option. */
    bullPrefix: tag,
    /** The prefix of public keys and channels: empty in the default swarm. */
    publicPrefix: open,

    // public
    finding: (id: string) => `${open}finding:${id}`,
    workerStatus: (workerId: string) => `${open}worker:status:${workerId}`,
    workerTasks: (workerId: string) => `${open}worker:tasks:${workerId}`,
    shardQuota: (shard: number) => `${open}librarian:shard${shard}:quota`,
    shardStatus: (shard: number) => `${open}librarian:shard${shard}:status`,
    cost: (vendor: CostVendor) => (vendor === 'other' ? own('spent:other') : `${open}cost:${vendor}`),
    contextActive: `${open}context:active`,
    query: (id: string) => `${open}query:archive:${id}`,
    response: (id: string) => `${open}response:archive:${id}`,
    haltReason: `${open}halt:reason`,
    channelFindings: `${open}channel:findings`,
    channelCompletions: `${open}channel:completions`,
    channelQueries: `${open}channel:queries`,
    channelResponses: `${open}channel:responses`,
    channelPattern: `${open}channel:*`, // all of them, for PSUBSCRIBE

    // BullMQ's own keys that scripts read inside their one step
    jobLock: (queue: string, jobId: string) => own(`${queue}:${jobId}:lock`),
    jobLogs: (queue: string, jobId: string) => own(`${queue}:${jobId}:logs`),
    queueKey: (queue: string, part: string) => own(`${queue}:${part}`),

    // the swarm itself
    swarmMark: own('swarm'), // hash: kind real|simulated, layout
    preflight: own('preflight'), // string with expiry: each process writes it once as a test before it starts
    session: own('session'), // hash: name, startedAt, explicit
    counters: own('counters'), // hash: recoveries, waits, quarantines … since the swarm began
    workers: own('workers'), // hash: worker id → JSON of its last heartbeat
    attendants: own('attendants'), // hash: id of a librarian or coordinator → ms of its last heartbeat
    workerName: (host: string, number: string) => own(`worker-name:${host}:${number}`),
    control: own('control'), // channel: halts, resumes, cancels
    lease: (name: string) => own(`turn-of:${name}`), // string with expiry: token of the process that holds the lease
    events: own('events'), // stream: one entry a finding
    healthCheck: own('health-check'), // string with expiry: written by the dashboard's last health check
    halted: own('halted'), // hash: the queues that the halt itself paused

    // findings
    index: own('index'), // zset: finding id by `at` in ms
    indexBySession: (session: string) => own(`index:session:${session}`),
    indexByBatch: (batch: string) => own(`index:batch:${batch}`),

    indexAnswers: own('index:answers'), // zset: ids of the librarian's own answers by ms; no evidence, in no other index
    retracted: own('retracted'), // hash: finding id → JSON {why, by, at}
    unreadable: own('unreadable'), // set: ids under which other programs stored something that is no finding

    indexCondensed: own('index:condensed'), // zset: ids of condensed findings, by the ms they had in `index`
    compaction: own('compaction'), // hash: state, problem, live, condensed, at of the last compaction
    compactionPieces: own('compaction:pieces'), // hash: job id of a running group → JSON list of the finding ids in it
    uncondensed: own('uncondensed'), // zset: ids of findings that could not be summarised, by the ms of the try

    // money
    budget: own('budget'), // hash: limit of a day
    spend: (scope: string) => own(`spend:${scope}`), // hash: settled, reserved, uncertain, limit, parked; scope `day:2026-11-21`, `batch:x`, `task:<job>`
    reservations: own('reservations'), // hash: reservation id → `worst|reserved at|part…`, see src/ledger/reservation.ts
    uncertain: own('reservations:uncertain'), // hash: the same of calls of uncertain cost, until it is known; the scripts derive its name from `reservations`
    settlements: own('settlements'), // list: JSON of the last 1,000 uncertain calls that a person or the provider's report settled
    ledger: (day: string) => own(`ledger:${day}`), // hash: session|batch|mission|model|worker|measure → integer
    ledgerDays: own('ledger-days'), // set of days with a ledger
    booked: own('reservations:booked'), // hash: vendor → nano added to `cost:*` since the session in force began, of any session; the scripts derive its name from `reservations`
    sessionTotals: (session: string) => own(`session-totals:${session}`), // hash: per vendor nano, tokens, tasks

    // shards: a project is one Gemini account with its limits; shards of the same project share them
    gateTurn: own('gate-turn'), // integer: the shard that is tried first next, in turn
    gateEpoch: own('gate-epoch'), // string: set by the first permit; another value, or none, means that Redis lost data
    gate: (project: string) => own(`gate:${project}`), // prefix of the limiter's own keys of a project
    shardProject: (project: string) => own(`shard-project:${project}`), // hash: day, left, cool_until, cool_reason, pace_next, stated:day|minute|tokens
    shardStarts: (project: string) => own(`shard-starts:${project}`), // zset with expiry: permit by the time it was given
    shardTokens: (project: string) => own(`shard-tokens:${project}`), // hash with expiry: permit → tokens|shard
    shardState: (shard: number) => own(`shard-state:${shard}`), // hash: failures, last_error, last_error_at, closed_until, closed_reason

    // patches
    patch: (findingId: string) => own(`patch:${findingId}`), // string: JSON of a PatchRecord
    patchText: (findingId: string) => own(`patch-text:${findingId}`), // string: the patch, gzip of what `git diff --binary` writes
    patches: own('patches'), // zset: finding id of each patch that is neither applied, discarded nor empty, by ms
    patchConflicts: own('patch-conflicts'), // set: finding ids of the open patches that did not fit when a person last tried
    treeHosts: own('tree-hosts'), // hash: `<host>` → JSON of the task trees on its disk, as its last sweep found them

    // missions
    missions: own('missions-index'), // zset: mission id by creation in ms
    missionAdded: (id: string) => own(`mission-added:${id}`), // bitmap: position of each task that was added to the queue
    mission: (id: string) => own(`mission:${id}`), // hash: goal, session, state, step, plan, counts … of one mission
    paper: (id: string) => own(`paper:${id}`), // hash: outline, drafts by section, shard test, choices of one paper
    condensed: (id: string) => own(`condensed:${id}`), // string: value of `finding:<id>` before the finding was condensed
    delegation: (session: string) => own(`delegation:${session}`), // hash: tasks planned for haiku and sonnet

    // jobs
    turns: (jobId: string) => own(`turns:${jobId}`), // hash: stored replies and tool results of one job
    cancelled: own('cancelled'), // zset: job id by the time a person cancelled it
    parked: own('parked'), // hash: job id → own budget it waits for
    recentFailures: own('recent-failures'), // zset: `<reason>|<job id>` of the last ten minutes by ms, for the error rate
    crashBase: own('crash-base'), // hash: job id → `<stalls that no longer count>:<stored turns then>`
    cooldown: (model: string) => own(`cooldown:${model}`), // string with expiry: the model waits
    limitedInRow: (model: string) => own(`limited:${model}`), // integer with expiry: rate limits in a row without a wait
    outage: (model: string) => own(`outage:${model}`), // integer: provider failures in a row
    outageRow: (model: string) => own(`outage-row:${model}`), // hash: the failures in a row, see `lib/outage.lua`
    pace: (name: string) => own(`pace:${name}`), // string with expiry: JSON of what is known of the limits of `<key hash>:<model>`
    begunDelayed: own('begun-delayed'), // zset: job id of a begun task that is delayed → ms when its delay is over
    paced: own('paced'), // hash: `<key hash>:<model>` → last use in ms
    modelsInUse: own('models-in-use'), // hash: model → last use in ms
    batches: own('batches'), // zset: batch name by creation
    batch: (name: string) => own(`batch:${name}`), // hash: session, createdAt, lines, tasks, round, loaded
    batchFailed: (name: string) => own(`batch-failed:${name}`), // set of failed job ids
    noticed: (mark: string) => own(`noticed:${mark}`), // string with expiry: this event was announced to FLEET_NOTIFY
    reservedFindings: own('finding-owners'), // hash: finding id that a caller chose → job id
    context: (name: string) => own(`context:${name}`), // string: a memory context
    contexts: own('contexts'), // hash: name → JSON {bytes, sha256, loadedAt}
  };
}
