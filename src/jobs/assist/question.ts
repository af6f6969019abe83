import { toAssistId } from '../../../queues/assist.ts';

/** How one assist task of a question ended. */
interface PeerEnd {
  n: number;
  /** Whether its answer is of use. */
  helps: boolean;
  /** ms, by Redis' clock. */
  at: number;
  /** Null: it left no finding. */
  findingId: string | null;
}

/** A task's question to its peers, as the hash of its turns holds it. */
export interface PeerQuestionView {
  /** ms, by Redis' clock: from then on the asker goes on without an answer. */
  dueAt: number;
  /** How many assist tasks were asked. */
  peers: number;
  /** Of those that have ended. */
  ends: PeerEnd[];
}

/** Parses `asked at|due at|peers` and the ends, as `lib/peers.lua` writes them. */
export function parseQuestion([record = '', ...ends]: readonly string[]): PeerQuestionView {
  const [, dueAt = 0, peers = 0] = record.split('|').map(Number);
  return {
    dueAt,
    peers,
    ends: ends.flatMap((text, i) => {
      const [, sign, at, findingId = ''] = /^([+-])(\d+)\|(.*)$/s.exec(text) ?? [];
      if (sign === undefined) return [];
      return [{ n: i + 1, helps: sign === '+', at: Number(at), findingId: findingId === '' ? null : findingId }];
    }),
  };
}

/** Whether the asker has no reason to wait any more, before its time is over. */
export function isReady({ peers, ends }: PeerQuestionView): boolean {
  return ends.some(({ helps }) => helps) || ends.length >= peers;
}

/** Job ids of all assist tasks of a question. */
export function listAssistIds(asker: string, call: string, peers: number): string[] {
  return Array.from({ length: peers }, (_, i) => toAssistId({ asker, call, n: i + 1 }));
}
