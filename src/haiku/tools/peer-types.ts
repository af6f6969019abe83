/** What a stuck task asks its peers. */
export interface PeerQuestion {
  problem: string;
  /** What the asker has tried, and how it went. */
  tried: string;
  urgency: 'normal' | 'urgent';
  /** Paths of the workspace that the peers begin with. */
  files: readonly string[];
}

/** What the asker gets for its question. */
export interface PeerReply {
  /** The answers that help, the first one first. */
  answers: { findingId: string; text: string }[];
  /** Why there is none. Null: there is one. */
  why: 'too-late' | 'no-help' | null;
}

/** The run that asks. */
interface Asking {
  /** Paths of the files that the task has changed so far. */
  changed: readonly string[];
}

/** Asks the peers of one task. */
export type AskPeers = (question: PeerQuestion, asking: Asking) => Promise<PeerReply>;
