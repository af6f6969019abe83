/** The kinds of processes that take jobs; the first part of their names. */
export type ProcessKind = 'haiku' | 'librarian' | 'coordinator' | 'bridge';

/** The session in force. */
export interface SessionState {
  name: string;
  /** UTC instant. */
  startedAt: string;
  /** Stored since then. */
  findings: number;
}

/** One live Haiku worker process, by its last heartbeat, which is less than 60 s old. */
export interface LiveWorker {
  id: string;
  host: string;
  pid: number;
  /** Tasks that it can work at once. */
  slots: number;
  /** Ids of the jobs that it works now. */
  active: string[];
  /** Names of the workspaces it can work in. */
  workspaces: string[];
  /** Programs that its tasks may run (`FLEET_RUN_ALLOW`); null: a worker of an older version, which does not tell. */
  programs: string[] | null;
  /** The vendors that it allows for a workspace, by its name; one that is not named is open to all. */
  vendors?: Record<string, string[]>;
  /** Version of the package that it runs. Absent: a worker of an older version, which does not tell. */
  version?: string | undefined;
  startedAt: string;
  /** ms since 1970, by Redis' clock. */
  seenAt: number;
}

/** A key that holds what the fleet cannot use: a public one of another program, or a damaged private one. */
export interface ForeignKey {
  key: string;
  /** `a list`, `text that is no number`. */
  holds: string;
  /** `a number`. */
  expected: string;
  /** Mends it. A person decides: the fleet deletes nothing that it did not write. */
  command: string;
}

/** A host whose clock is off. */
export interface HostClock {
  host: string;
  /** How far it is ahead of Redis' clock, ms; negative: behind. */
  skewMs: number;
}

/** Something that happened in the swarm. */
export interface ActivityEvent {
  /** UTC instant by Redis' clock, ISO 8601. */
  at: string;
  /** `finding`, `begun`, `failed`, `halt` …; a newer process of the swarm may tell of what this version does not know. */
  what: string;
  /** Of the job, finding, mission, batch, process or rule; empty where there is none. */
  id: string;
  /** For people, on one line. */
  text: string;
  batch: string | null;
  mission: string | null;
  /** Id of the process that did it, or the person. */
  worker: string | null;
}

/** Which events, and from when. */
export interface ActivityQuery {
  /** ms since 1970, by Redis' clock. Default: from now on. Of each kind about the newest 10,000 events are kept. */
  since?: number;
  /** Default: all kinds. */
  what?: readonly string[];
  /** Only what belongs to this batch; and halts and resumes, which concern every batch. */
  batch?: string;
  /** As `batch`, of a mission. */
  mission?: string;
  /** Only what this process, or person, did. */
  worker?: string;
  /** False: ends when everything so far was read. Default true: waits for more. */
  follow?: boolean;
}

export interface ActivityOptions extends ActivityQuery {
  /** Ends the iteration when it fires. Leaving the loop ends it too. */
  signal?: AbortSignal;
}
