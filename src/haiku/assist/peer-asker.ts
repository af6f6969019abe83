import { hash } from 'node:crypto';
import type { Queue } from 'bullmq';
import { MOST_PEERS, toAssistId } from '../../../queues/assist.ts';
import { tasksQueue } from '../../../queues/tasks.ts';
import { AwaitsPeersError } from '../../errors.ts';
import { toFindingId } from '../../findings/finding.ts';
import { parseFinding, readFindingTexts } from '../../findings/stored.ts';
import { dropAssists } from '../../jobs/assist/drop-assists.ts';
import { isReady, listAssistIds, parseQuestion, type PeerQuestionView } from '../../jobs/assist/question.ts';
import { toMember } from '../../jobs/wake/reason.ts';
import { lockLost } from '../../ledger/refusals.ts';
import { noteActivity } from '../../swarm/activity.ts';
import type { Db } from '../../redis/db.ts';
import { parseRecord } from '../../redis/stored-record.ts';
import { ToolRefusal } from '../tools/tool-refusal.ts';
import { isHelpful, toAssistTask, type Asker } from './assist-task.ts';
import type { AskPeers, PeerQuestion, PeerReply } from '../tools/peer-types.ts';

const WAIT_MS = { normal: 10 * 60_000, urgent: 60_000 } as const;
/** Most questions of one task. */
const MOST_QUESTIONS = 3;

interface AskerParts {
  db: Db;
  /** The tasks queue. */
  queue: Queue;
  workerId: string;
}

/** What a task was told, as its turns hold it. */
interface Told {
  why: PeerReply['why'];
  /** Of the answers that help, the first one first. */
  findings: string[];
}

/**
 * Returns the function that asks the peers of a task. Its question is opened in Redis before the assist tasks are added, so that
 * the process may die at any line: the next run of the task asks the same again, finds the question, and adds what is missing.
 * While it is open, the function throws; the asker is delayed, and holds no slot.
 * @throws AwaitsPeersError while no answer is there and the time is not over; LockLostError; ToolRefusal after too many questions
 */
export function createPeerAsker(parts: AskerParts): (asker: Asker) => AskPeers {
  const { db, queue, workerId } = parts;
  const { keys, scripts, clock } = db;
  return (asker) =>
    async (question, { changed }) => {
      const { jobId, token } = asker.identity;
      const held = { turns: keys.turns(jobId), lock: keys.jobLock(queue.name, jobId) };
      const call = toCall(jobId, question, await db.redis.hget(held.turns, 'epoch'));
      const waitMs = WAIT_MS[question.urgency];
      const [state, ...found] = await scripts['ask-peers'](held, [
        token,
        workerId,
        call,
        waitMs,
        MOST_PEERS,
        MOST_QUESTIONS,
      ]);
      if (state === 'lock-lost') throw lockLost(jobId);
      if (state === 'too-many') {
        throw new ToolRefusal(
          `ask_peers: a task asks ${MOST_QUESTIONS} times at most; go on with what you know, or hand it back`,
        );
      }
      const texts = found.map(String);
      if (state === 'closed') return readReply(db, parseTold(texts[0] ?? ''));
      const view = parseQuestion(texts);
      const isOver = view.dueAt <= clock.now();
      if (!isOver && !isReady(view)) {
        await addPeers(parts, asker, question, { call, view, changed });
        if (view.ends.length === 0) await noteHelp(db, asker, 'assist-asked', question.problem, workerId);
        throw new AwaitsPeersError([call], view.dueAt, `asked its peers: ${question.problem.slice(0, 200)}`);
      }
      const told = await toTold(db, jobId, call, view);
      const [answer, stored = ''] = await scripts['close-peers']({ ...held, helped: keys.helped }, [
        token,
        workerId,
        call,
        JSON.stringify(told),
        jobId,
      ]);
      if (answer === 'lock-lost') throw lockLost(jobId);
      await dropAssists(db, queue, listAssistIds(jobId, call, view.peers));
      await db.redis.zrem(keys.waitsFor('peers'), toMember({ queue: queue.name, jobId, worstNanoUsd: 0 }));
      const reply = await readReply(db, parseTold(String(stored)));
      await noteHelp(db, asker, 'assist-answered', describeReply(reply), workerId);
      return reply;
    };
}

function noteHelp(
  db: Db,
  { identity: { jobId, batch, missionId } }: Asker,
  what: 'assist-asked' | 'assist-answered',
  text: string,
  worker: string,
): Promise<void> {
  return noteActivity(db, { what, id: jobId, text, batch, mission: missionId, worker });
}

function describeReply({ answers, why }: PeerReply): string {
  if (answers.length > 0) return answers.map(({ findingId }) => findingId).join(', ');
  return why === 'too-late' ? 'no answer in time' : 'no peer found anything that helps';
}

/**
 * The same question of the same task is asked once, however often its tools run.
 * @param epoch the attempt with which its turns begin: what is retried afresh has peers of its own
 */
function toCall(jobId: string, { problem, tried, files }: PeerQuestion, epoch: string | null): string {
  const again = epoch === null || epoch === '0' ? [] : [epoch];
  return hash('sha256', JSON.stringify([jobId, problem, tried, files, ...again])).slice(0, 12);
}

/** Adds the assist tasks that have not ended, ahead of all other work. One that is there stays as it is. */
async function addPeers(
  { queue }: AskerParts,
  asker: Asker,
  question: PeerQuestion,
  { call, view, changed }: { call: string; view: PeerQuestionView; changed: readonly string[] },
): Promise<void> {
  const numbers = Array.from({ length: view.peers }, (_, i) => i + 1);
  const open = numbers.filter((n) => !view.ends.some((end) => end.n === n));
  await queue.addBulk(
    open.toReversed().map((n) => ({
      name: tasksQueue.jobName,
      data: toAssistTask(asker, question, { call, n, changed }),
      opts: { jobId: toAssistId({ asker: asker.identity.jobId, call, n }), lifo: true },
    })),
  );
}

/** Decides what the task is told. Once its time is over, the findings count: who wrote one may have died before it said so. */
async function toTold(db: Db, asker: string, call: string, { ends, peers }: PeerQuestionView): Promise<Told> {
  const noted = ends.filter(({ helps }) => helps).toSorted((a, b) => a.at - b.at);
  const ids = noted.flatMap(({ findingId }) => findingId ?? []);
  const rest = listAssistIds(asker, call, peers)
    .map((id) => toFindingId(id))
    .filter((id) => !ids.includes(id));
  const { answers } = await readReply(db, { why: null, findings: [...ids, ...rest] });
  const findings = answers.map(({ findingId }) => findingId);
  const why = findings.length > 0 ? null : ends.length < peers ? 'too-late' : 'no-help';
  return { why, findings };
}

/** Reads the answers. A finding that is gone or retracted meanwhile is left out. */
async function readReply(db: Db, { why, findings }: Told): Promise<PeerReply> {
  const texts = findings.length === 0 ? [] : await readFindingTexts(db, findings);
  const answers = findings.flatMap((findingId, i) => {
    const text = texts[i] ?? null;
    const finding = text === null ? null : parseFinding(findingId, text);
    if (finding === null || finding.status === 'retracted' || !isHelpful(finding.result)) return [];
    return [{ findingId, text: finding.result.answer }];
  });
  return { answers, why: answers.length > 0 ? null : (why ?? 'no-help') };
}

function parseTold(json: string): Told {
  const { why, findings } = (parseRecord(json) ?? {}) as { why?: unknown; findings?: unknown };
  return {
    why: why === 'too-late' || why === 'no-help' ? why : null,
    findings: Array.isArray(findings) ? findings.map(String) : [],
  };
}
