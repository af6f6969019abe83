import type { StatusSnapshot, VendorSpend } from '../../src/status/types.ts';

const SPEND: VendorSpend = { nanoUsd: 0, externalNanoUsd: 0, tokens: 0, tasks: 0 };

/** A fleet without work. A test gives the fields that differ. */
export function snapshotWith(changes: Partial<StatusSnapshot> = {}): StatusSnapshot {
  return {
    at: '2025-11-21T10:15:00.000Z',
    swarm: 'fleet',
    kind: 'real',
    session: { name: '2025-11-21', startedAt: '2025-11-21T00:00:00.000Z' },
    findings: { live: 0, sinceSession: 0, partialSinceSession: 0, toolErrorsSinceSession: 0, contextTokens: 0 },
    compaction: null,
    workers: [],
    outside: { offered: 0, held: 0, leases: [] },
    shards: [],
    queues: [],
    spend: { sonnet: SPEND, haiku: SPEND, gemini: SPEND, other: SPEND },
    coordinator: { nanoUsd: 0, tokens: 0, calls: 0 },
    lead: null,
    archive: { nanoUsd: 0, tokens: 0, calls: 0 },
    rework: { nanoUsd: 0, tasks: 0 },
    saving: null,
    missions: [],
    batches: [],
    rules: { total: 0, parked: 0, lines: [] },
    bridge: { older: 0, held: 0 },
    patches: { pending: 0, conflict: 0 },
    halt: null,
    parked: [],
    tightClients: [],
    waits: [],
    failed: [],
    failedSampled: 1_000,
    counters: {},
    uncertain: { callCount: 0, todayNanoUsd: 0 },
    budget: { day: '2025-11-21', limitNanoUsd: null, settledNanoUsd: 0, reservedNanoUsd: 0, uncertainNanoUsd: 0 },
    cooling: [],
    pacing: [],
    treeHosts: [],
    otherSwarms: [],
    hostClocks: [],
    unreadableFindings: 0,
    oldWorkers: [],
    keyConflicts: [],
    foreignKeys: [],
    blocked: [],
    schedulers: [],
    tasksWithoutWorker: 0,
    questionsWithoutLibrarian: 0,
    missionsWithoutCoordinator: 0,
    ...changes,
  };
}

export function spendWith(changes: Partial<VendorSpend>): VendorSpend {
  return { ...SPEND, ...changes };
}

export function workerWith(id: string, slots = 20) {
  return {
    id,
    host: 'box',
    pid: 1,
    slots,
    active: [],
    workspaces: ['site'],
    programs: [],
    startedAt: '2025-11-21T10:00:00.000Z',
    seenAt: 0,
  };
}

export function shardWith(changes: Partial<StatusSnapshot['shards'][number]>): StatusSnapshot['shards'][number] {
  return { shard: 1, state: 'ok', left: 1_500, perDay: 1_500, starts: 0, perWindow: 15, ...changes };
}

export function missionWith(changes: Partial<StatusSnapshot['missions'][number]>): StatusSnapshot['missions'][number] {
  const { state = 'running', step = 'plan' } = changes;
  return {
    id: 'mission-1',
    goal: 'Find out',
    session: '2025-11-21',
    state,
    words: state === 'running' ? step : state,
    isPlanned: state === 'planned',
    step,
    tasks: { total: 0, done: 0, failed: 0, cancelled: 0, skipped: 0 },
    problem: '',
    createdAt: '2025-11-21T10:00:00.000Z',
    finding: null,
    costNanoUsd: 0,
    ...changes,
  };
}

export function queueWith(changes: Partial<StatusSnapshot['queues'][number]>): StatusSnapshot['queues'][number] {
  return {
    name: 'tasks',
    paused: false,
    waiting: 0,
    active: 0,
    delayed: 0,
    waitingForChildren: 0,
    parked: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    ...changes,
  };
}
