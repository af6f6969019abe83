/** The kinds of processes that take jobs; the first part of their names. */
export type ProcessKind = 'haiku' | 'librarian' | 'coordinator';

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
  startedAt: string;
  /** The worker's clock, ms since 1970. */
  seenAt: number;
}
