import type { ListedJob } from '../../src/jobs/find/types.ts';
import { noticesOf } from '../../src/status/notices/notices.ts';
import type { StatusSnapshot } from '../../src/status/types.ts';
import { toVisible } from '../access/visible-text.ts';
import { toJobNeeds, toWorkerNeeds, type Need } from './worker-needs.ts';

/** The notices about all processes; those of a host are with its workers. */
const ABOUT_PROCESSES = new Set(['paused', 'unattended', 'old-workers', 'shard-keys']);

export interface WorkerFacts {
  status: StatusSnapshot;
  /** Ids of the live librarians and coordinators. */
  attendants: readonly string[];
  /** The jobs under way, in part where there are very many. */
  running: readonly ListedJob[];
  /** Of this dashboard. */
  version: string;
}

/** What the page of workers shows: each live process with what it holds, those that need a person first. */
export function toWorkersPage({ status, attendants, running, version }: WorkerFacts) {
  const now = Date.parse(status.at);
  const held = running.filter(({ reason }) => reason !== 'children'); // a mission that waits for its tasks is in no process
  const jobs = new Map(held.map((job) => [job.id, job]));
  const leased = new Set(status.outside.leases.map(({ taskId }) => taskId));
  const workers = status.workers.map((worker) => {
    const { id, host, pid, slots, active, workspaces, startedAt, seenAt } = worker;
    const own = active.map((jobId) => jobs.get(jobId) ?? jobId);
    const needs = own.flatMap((job) => (typeof job === 'string' ? [] : toJobNeeds(job, now)));
    return toProcess(id, own, {
      host: toVisible(host),
      pid,
      slots,
      workspaces: workspaces.map(toVisible),
      startedAt,
      version: worker.version ?? null,
      seenAt: new Date(seenAt).toISOString(),
      needs: [...toWorkerNeeds(worker, status, version), ...needs],
    });
  });
  const others = attendants.map((id) => {
    const own = held.filter((job) => job.worker === id);
    return toProcess(id, own, { needs: own.flatMap((job) => toJobNeeds(job, now)) });
  });
  const known = new Set(status.workers.flatMap(({ active }) => active));
  const up = new Set([...status.workers.map(({ id }) => id), ...attendants]);
  const orphans = held.filter(({ id, worker }) => !known.has(id) && !up.has(worker ?? '') && !leased.has(id));
  const all = [...workers, ...others];
  return {
    now: status.at,
    version,
    processes: [...all.filter(({ needs }) => needs.length > 0), ...all.filter(({ needs }) => needs.length === 0)],
    outside: status.outside,
    /** Jobs whose process is gone; another one continues them. */
    orphans: orphans.map((job) => ({ ...toHeld(job), worker: job.worker })),
    notices: noticesOf(status)
      .filter(({ kind }) => ABOUT_PROCESSES.has(kind))
      .map((notice) => ({ ...notice, text: toVisible(notice.text) })),
  };
}

/** What only a Haiku worker tells of itself. */
interface Told {
  host: string;
  pid: number;
  slots: number;
  workspaces: string[];
  version: string | null;
  startedAt: string;
  seenAt: string;
}

const UNTOLD = { host: null, pid: null, slots: null, workspaces: [], version: null, startedAt: null, seenAt: null };

function toProcess(id: string, jobs: readonly (ListedJob | string)[], told: Partial<Told> & { needs: Need[] }) {
  return {
    id,
    ...UNTOLD,
    ...told,
    needs: told.needs.map(({ text, command }) => ({ text: toVisible(text), command })),
    holds: jobs.map(toHeld),
  };
}

/** @param job its id alone: it began or ended while the list was read */
function toHeld(job: ListedJob | string) {
  if (typeof job === 'string') return { id: job, kind: 'task', text: '', since: null, model: null };
  const { id, kind, text, at, model } = job;
  return { id, kind, text: toVisible(text), since: at, model };
}
