import type { SwarmRefusedError } from '../errors.ts';

/** What a process of this swarm last found of another one. */
export interface OtherSwarmState {
  name: string;
  /** Null: it can be read. Else why it cannot, and the sentence for a person. */
  refused: Pick<SwarmRefusedError, 'reason' | 'message'> | null;
  /** Null: it was never open. */
  kind: 'real' | 'simulated' | null;
  /** ms since 1970, by the clock of this swarm's Redis. */
  checkedAt: number;
}
