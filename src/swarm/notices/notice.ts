/** One event for `FLEET_NOTIFY`. The notice is a line of JSON: `at`, `swarm`, the event, and the command that `toCommand` names. */
export type Notice =
  | { event: 'halt'; reason: string; step: string; by: string; detail: string; mission?: string }
  | { event: 'resume'; reason: string; since: string; by: string }
  | { event: 'mission-parked'; mission: string; by: string }
  | { event: 'mission-planned'; mission: string; tasks: number }
  | { event: 'mission-asks' | 'mission-stuck'; mission: string; detail: string }
  | { event: 'mission-done'; mission: string; finding: string }
  | {
      event: 'batch-end';
      batch: string;
      tasks: number;
      completed: number;
      partial: number;
      with_tool_errors: number;
      failed: number;
      cancelled: number;
    }
  | { event: 'quarantine'; job_id: string; worker_id: string; detail: string }
  | { event: 'shard-out'; shard: number; reason: string; detail: string }
  /** So many percent of the day's budget are spent. Dollars. */
  | { event: 'budget'; day: string; percent: number; spent_usd: string; limit_usd: string }
  /** Few of a shard's calls are left today. */
  | { event: 'quota-low'; shard: number; left: number; per_day: number }
  /** The task that is next has waited for so long. */
  | { event: 'waiting-long'; task: string; minutes: number; waiting: number }
  /** A process gave no sign of life and did not say that it ends. */
  | { event: 'worker-gone'; worker: string; since: string };

/** The command line that a person needs next; null: none. A word in capitals is a placeholder. */
export function toCommand(notice: Notice): string | null {
  switch (notice.event) {
    case 'halt':
      return 'fleet status';
    case 'resume':
      return null;
    case 'mission-parked':
      return `fleet resume ${notice.mission}`;
    case 'mission-planned':
      return `fleet mission run ${notice.mission}`;
    case 'mission-asks':
      return `fleet resume ${notice.mission} --answer "…"`;
    case 'mission-stuck':
      return `fleet mission ${notice.mission}`;
    case 'mission-done':
      return `fleet findings ${notice.finding}`;
    case 'batch-end':
      return notice.failed > 0 ? `fleet failed --batch ${notice.batch}` : `fleet findings --batch ${notice.batch}`;
    case 'quarantine':
      return `fleet retry ${notice.job_id}`;
    case 'shard-out':
    case 'quota-low':
      return 'fleet limits';
    case 'budget':
      return 'fleet budget USD';
    case 'waiting-long':
      return 'fleet status';
    case 'worker-gone':
      return 'fleet up';
  }
}
