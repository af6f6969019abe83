import { askGit, mustGit, type Git } from '../../../git/git.ts';
import type { PatchRecord } from '../../types.ts';
import { joinNul, toShown, type BytePath } from '../person/byte-path.ts';
import type { BlockedPath } from '../person/find-dirty.ts';
import type { Identity } from '../person/person-settings.ts';
import { isSameEntry, listTreeChanges, type TreeChange, type TreeEntry } from '../person/tree-changes.ts';
import { isAncestor, isCommit } from './find-applied.ts';
import { leave, leaveBlocked } from './leave.ts';
import { makeCommit, parseIdentity } from './make-commit.ts';
import type { ApplyPlan, LeftPatch, PlannedPatch } from './types.ts';

/** Later commits that a refusal names. */
const NAMED = 5;

export interface UndoInput {
  /** With a private index. */
  git: Git;
  onto: string;
  committer: Identity | null;
  /** As of `PlanInput`. */
  findBlocked: (changes: readonly TreeChange[]) => Promise<BlockedPath[]>;
}

/**
 * Plans the commits that take applied patches back. A path goes back to what it held before the patch, and only if it still holds
 * what the patch left.
 * @param records the one that was applied last first
 * @throws GitError
 */
export async function planUndo(records: readonly PatchRecord[], input: UndoInput): Promise<ApplyPlan> {
  const { git, onto } = input;
  const plan: ApplyPlan = { onto, next: onto, planned: [], left: [] };
  const heads = await readEntries(git, onto);
  for (const record of records) {
    const step = await undoOne(record, plan, heads, input);
    if ('outcome' in step) plan.left.push(step);
    else {
      plan.planned.push(step);
      plan.next = step.commit;
    }
  }
  await mustGit(git, ['read-tree', plan.next]);
  return plan;
}

async function undoOne(
  record: PatchRecord,
  { onto, next }: ApplyPlan,
  heads: ReadonlyMap<BytePath, TreeEntry>,
  { git, committer, findBlocked }: UndoInput,
): Promise<LeftPatch | PlannedPatch> {
  const commit = record.applied?.commit;
  if (record.state !== 'applied' || commit === undefined) {
    return leave(record, 'refused', `it is ${record.state}, and only an applied patch can be undone`);
  }
  if (!(await isCommit(git, commit)) || !(await isAncestor(git, commit, onto))) {
    const where = record.applied?.onto?.replace('refs/heads/', '') ?? 'another branch';
    return leave(
      record,
      'refused',
      `its commit ${commit.slice(0, 12)} is not in HEAD; switch to ${where}, or delete that`,
    );
  }
  const other = await findOtherTask(git, record, commit);
  if (other !== null)
    return leave(record, 'refused', `its changes came with task ${other}; \`fleet undo ${other}\` takes both back`);
  const [from, to] = await toSides(git, record, commit);
  const changes = await listTreeChanges(git, to, from); // back
  const now = await readEntries(git, next);
  const later = changes.filter(({ path, old }) => !isSameEntry(now.get(path) ?? null, old));
  if (later.length > 0) return await leaveLater(git, record, later, `${commit}..${onto}`);
  const dirty = await findBlocked(changes.map((change) => ({ ...change, old: heads.get(change.path) ?? null })));
  if (dirty.length > 0) return leaveBlocked(record, 'dirty', dirty);
  const tree = await writeBack(git, changes);
  const author = committer ?? parseIdentity(record.author);
  const message = toMessage(record, commit);
  const made = await makeCommit(git, { tree, parent: next, message, author, committer: author });
  return { record, commit: made, changes };
}

/** A commit of another task's patch, which holds the changes of this one, too. @returns the task */
async function findOtherTask(git: Git, { taskId }: PatchRecord, commit: string): Promise<string | null> {
  const format = '--format=%(trailers:key=Fleet-Task,valueonly)';
  const [first] = (await askGit(git, ['log', '-1', format, commit])).split('\n').filter(Boolean);
  return first === undefined || first === taskId ? null : first;
}

/** A patch that a person merged by hand may have come as several commits, from its own base. */
async function toSides(git: Git, { base, head }: PatchRecord, commit: string): Promise<[from: string, to: string]> {
  if (commit === head && (await isCommit(git, base))) return [base, head];
  return [`${commit}^1`, commit];
}

async function readEntries(git: Git, commit: string): Promise<Map<BytePath, TreeEntry>> {
  await mustGit(git, ['read-tree', commit]);
  const listed = (await mustGit(git, ['ls-files', '-s', '-z'])).toString('latin1').split('\0').slice(0, -1);
  return new Map(
    listed.map((line): [BytePath, TreeEntry] => {
      const end = line.indexOf('\t');
      const [mode = '', oid = ''] = line.slice(0, end).split(' ');
      return [line.slice(end + 1), { mode, oid }];
    }),
  );
}

async function leaveLater(
  git: Git,
  record: PatchRecord,
  later: readonly TreeChange[],
  range: string,
): Promise<LeftPatch> {
  const paths = later.map(({ path }) => toShown(path));
  const specs = later.map(({ path }) => `:(top,literal)${Buffer.from(path, 'latin1').toString('utf8')}`);
  const log = await git(['log', `-${NAMED}`, '--format=%h %s', range, '--', ...specs.slice(0, 1_000)]);
  const commits = log.code === 0 && log.stdout !== null ? log.stdout.toString('utf8').trim().split('\n') : [];
  const named = commits.filter(Boolean).join(', ');
  const why = `later commits changed ${paths.join(', ')}${named === '' ? '' : `: ${named}`}; undo those first, or edit by hand`;
  return leave(record, 'conflict', why, paths);
}

/** @returns the tree of the index with the changes */
async function writeBack(git: Git, changes: readonly TreeChange[]): Promise<string> {
  const gone = changes.flatMap(({ path, old, next }) =>
    next === null && old !== null ? [`0 ${'0'.repeat(old.oid.length)}\t${path}`] : [],
  );
  const back = changes.flatMap(({ path, next }) => (next === null ? [] : [`${next.mode} ${next.oid}\t${path}`]));
  await mustGit(git, ['update-index', '-z', '--index-info'], { input: joinNul([...gone, ...back]) });
  return await askGit(git, ['write-tree']);
}

function toMessage({ message, taskId }: PatchRecord, commit: string): string {
  const subject = message.split('\n', 1)[0] ?? '';
  return `Revert "${subject}"\n\nThis reverts commit ${commit}.\n\nFleet-Task: ${taskId}\n`;
}
