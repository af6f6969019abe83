import type { Db } from '../redis/db.ts';

/** Another swarm, which both sides allow to be read. Ask for it anew before each use: the right to read it may end. */
export interface OtherSwarm {
  name: string;
  /** Its data. The connection refuses every command that could change any. */
  db: Db;
  /** Address of its Redis, for connections of a caller's own. It may contain a password. */
  url: string;
  /** Whether its work is simulated: no real work may cite it without saying so. */
  isSimulated: boolean;
}

/** The other swarms that this process reads. */
export interface OtherSwarms {
  /** Those of `FLEET_READ_SWARMS`. Whether they can be read shows `open`. */
  names(): string[];
  /**
   * Opens a swarm, or returns the open one. Checks the other side's permission again when the last check is three seconds old, so
   * that a swarm that is no longer shared is refused within ten.
   * @throws SwarmRefusedError with the rule that forbids it, or because the swarm's Redis does not answer within three seconds
   */
  open(name: string): Promise<OtherSwarm>;
  /**
   * Opens a swarm and reads from it within a time: its server may hang, or go away meanwhile.
   * @param options.withinMs default 10 s
   * @throws SwarmRefusedError as `open`, and `unreachable` where Redis fails or the time is over; what `work` throws on purpose
   */
  read<T>(name: string, work: (swarm: OtherSwarm) => Promise<T>, options?: { withinMs?: number }): Promise<T>;
  close(): Promise<void>;
}
