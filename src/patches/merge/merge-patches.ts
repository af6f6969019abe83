import { askGit, mustGit, type Git } from '../../git/git.ts';
import type { PatchRecord } from '../types.ts';
import { MergeError } from './merge-error.ts';
import type { MergeGit } from './merge-git.ts';
import { applyText, FIXED_IDENTITY, mergeTrees, type MergedTrees, type PatchTrees } from './merge-trees.ts';
import type { MergeInput, PatchMerge } from './types.ts';

/**
 * Merges patches with a commit, three-way with what each was made from. Only objects are written, and the same input gives the
 * same ids: a run that does it again, or another task with the same patches, begins from the same commit.
 *
 * A patch that does not fit beside those before it, and what builds on it, stays out of the commit: the tree `start` holds it,
 * with markers. A later patch stays out, too, if it does not fit on `start`.
 * @throws MergeError; GitError
 */
export async function mergePatches(parts: MergeGit, input: MergeInput): Promise<PatchMerge> {
  const merger = new Merger(parts, input);
  for (const record of input.patches) await merger.add(record);
  const { merge } = merger;
  const made = [merge.commit, ...(merge.start === null ? [] : [merge.start])];
  if (merge.start !== null || merge.commit !== input.head) await parts.keep(made, input.head);
  return merge;
}

class Merger {
  readonly merge: PatchMerge;
  readonly #parts: MergeGit;
  readonly #input: MergeInput;

  constructor(parts: MergeGit, input: MergeInput) {
    const { head } = input;
    this.#parts = parts;
    this.#input = input;
    this.merge = { head, commit: head, buildsOn: [], carries: [], start: null, conflicts: [] };
  }

  async add(record: PatchRecord): Promise<void> {
    const { merge } = this;
    const patch = await this.#open(record);
    const tree = await toTree(this.#parts.git, merge.commit);
    const isFree = !record.buildsOn.some((id) => merge.carries.includes(id));
    const onBase = isFree ? await this.#tryOn(tree, record, patch) : null;
    const fits = onBase?.conflicts.length === 0;
    if (merge.start === null && onBase !== null) {
      if (fits) await this.#commit(record, tree, onBase.tree);
      else this.#carry(record, onBase);
      return;
    }
    const onStart = await this.#tryOn(merge.start ?? tree, record, patch);
    if (fits && onStart.conflicts.length === 0) {
      await this.#commit(record, tree, onBase.tree);
      merge.start = onStart.tree;
    } else this.#carry(record, onStart);
  }

  /** @throws MergeError if no worker could mend the conflict */
  async #tryOn(tree: string, record: PatchRecord, patch: OpenPatch): Promise<MergedTrees> {
    const { git, gitDir } = this.#parts;
    const { trees, readText } = patch;
    const merged =
      (trees === null ? null : await mergeTrees(git, gitDir, tree, trees, record.findingId)) ??
      (await applyText(git, tree, await readText()));
    if (merged.hopeless.length === 0) return merged;
    const { findingId } = record;
    const where = merged.hopeless.map(({ path, why }) => (path === '' ? why : `${path}: ${why}`)).join('; ');
    const before = [...this.merge.buildsOn, ...this.merge.carries];
    throw new MergeError(
      'conflict',
      `the patch ${findingId} (${toSubject(record)}) contradicts ${before.length === 0 ? 'HEAD' : `HEAD with ${before.join(', ')}`} in a way that no worker can mend: ${where}. ` +
        `Apply or discard one of them (fleet diff ${findingId}), then retry the task`,
    );
  }

  async #commit(record: PatchRecord, before: string, tree: string): Promise<void> {
    const { merge } = this;
    merge.buildsOn.push(record.findingId);
    if (tree === before) return; // HEAD holds it already
    const [, name = '', email = ''] = /^(.*?)\s*<(.*)>$/.exec(record.author) ?? [];
    const env = {
      ...FIXED_IDENTITY,
      ...(name === '' ? {} : { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email }),
      GIT_AUTHOR_DATE: record.createdAt,
      GIT_COMMITTER_DATE: record.createdAt,
    };
    const args = ['commit-tree', tree, '-p', merge.commit];
    merge.commit = await askGit(this.#parts.git, args, { input: record.message, env });
  }

  #carry(record: PatchRecord, { tree, conflicts }: MergedTrees): void {
    const { merge } = this;
    const { findingId } = record;
    merge.carries.push(findingId);
    merge.start = tree;
    if (conflicts.length > 0) merge.conflicts.push({ findingId, subject: toSubject(record), paths: conflicts });
  }

  /** @throws MergeError if neither its objects nor its text are here */
  async #open(record: PatchRecord): Promise<OpenPatch> {
    const { git } = this.#parts;
    const { findingId, base, head } = record;
    const readText = async (): Promise<Buffer> => {
      const text = await this.#input.readText(record);
      if (text !== null) return text;
      if (trees !== null) return await readDiff(git, trees);
      throw new MergeError(
        'missing',
        `the patch ${findingId} (${toSubject(record)}), on which the task builds, is not here: its text is not kept whole, and its commit ${head.slice(0, 12)} is not in this repository`,
      );
    };
    let trees: PatchTrees | null = null;
    if (await isHere(git, base)) {
      const from = await toTree(git, base);
      if (await isHere(git, head)) trees = { base: from, head: await toTree(git, head) };
      else trees = { base: from, head: await patchTree(git, from, await readText()) };
    }
    return { trees, readText };
  }
}

interface OpenPatch {
  /** Null: its base is not here. */
  trees: PatchTrees | null;
  readText(): Promise<Buffer>;
}

async function isHere(git: Git, commit: string): Promise<boolean> {
  return (await git(['cat-file', '-e', `${commit}^{tree}`])).code === 0;
}

async function toTree(git: Git, commit: string): Promise<string> {
  return await askGit(git, ['rev-parse', '--verify', `${commit}^{tree}`]);
}

/** Applies a patch's text to the tree that it was made from. @throws GitError */
async function patchTree(git: Git, tree: string, text: Buffer): Promise<string> {
  await mustGit(git, ['read-tree', tree]);
  await mustGit(git, ['apply', '--cached', '--whitespace=nowarn', '-'], { input: text });
  return await askGit(git, ['write-tree']);
}

async function readDiff(git: Git, { base, head }: PatchTrees): Promise<Buffer> {
  return await mustGit(git, ['diff-tree', '-r', '-p', '--binary', '--full-index', '--no-renames', base, head]);
}

function toSubject({ message }: PatchRecord): string {
  return message.split('\n', 1)[0] ?? '';
}
