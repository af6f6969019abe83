import { plural } from '../task/file-facts.ts';
import type { Call, Rule, TaskView } from '../task/types.ts';
import { findRequest } from '../task/mentions.ts';
import { firstLine } from '../task/reading.ts';
import { findStep } from '../task/steps.ts';

/** Commits the files that this task wrote, else the files it names, else everything. */
export const commit: Rule = (view) => {
  if (findRequest(view.verbs, 'commit') === undefined || !view.tools.has('git')) return null;
  const written = view.steps.filter((step) => (step.name === 'write' || step.name === 'edit') && !step.isError);
  const paths = [...new Set(written.map((step) => String(step.input.file_path)))];
  const add = { args: ['add', '--', ...(paths.length > 0 ? paths : view.files.length > 0 ? view.files : ['.'])] };
  const save = { args: ['commit', '-m', findMessage(view)] };
  const added = view.steps.find((step) => step.name === 'git' && toArgs(step.input)[0] === 'add');
  const saved = findStep(view.steps, 'git', save);
  return {
    next(): Call[] {
      if (added === undefined) return [{ name: 'git', input: add }];
      return saved === undefined && !added.isError ? [{ name: 'git', input: save }] : [];
    },
    answer() {
      const failed = [added, saved].find((step) => step?.isError === true);
      const ok = saved !== undefined && failed === undefined;
      const hash = /\[[^\]]*\b([0-9a-f]{7,40})\]/.exec(saved?.content ?? '')?.[1];
      const text = ok
        ? `Committed “${save.args[2]}”${hash === undefined ? '' : ` as ${hash}`}.`
        : `Nothing was committed${failed === undefined ? '' : `: ${firstLine(failed)}`}.`;
      return {
        text,
        values: {
          ok,
          success: ok,
          committed: ok,
          ...(hash === undefined ? {} : { commit: hash, hash }),
          summary: text,
        },
      };
    },
  };
};

const QUERIES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\b(?:log|history|recent commits|last commits?|latest commits?)\b/, ['log', '--oneline', '-n', '10']],
  [/\b(?:diff|uncommitted changes)\b/, ['diff', '--stat']],
  [/\bbranch(?:es)?\b/, ['branch']],
  [/\b(?:status|clean|changed files|working tree)\b/, ['status', '--short']],
];

/** Runs a git query: log, diff, branches or status. */
export const askGit: Rule = (view) => {
  if (!view.tools.has('git') || !(view.task.kind === 'git' || /\bgit\b|\bcommits\b/.test(view.verbs))) return null;
  const args = QUERIES.find(([words]) => words.test(view.verbs))?.[1] ?? ['status', '--short'];
  const step = findStep(view.steps, 'git', { args });
  return {
    next: () => (step === undefined ? [{ name: 'git', input: { args } }] : []),
    answer() {
      const lines = (step?.content ?? '').trim().split('\n').filter(Boolean);
      const head = `git ${args.join(' ')}: ${step?.isError ? 'failed' : plural(lines.length, 'line')}.`;
      const text = [head, ...lines.slice(0, 20)].join('\n');
      return {
        text,
        values: {
          ok: step?.isError !== true,
          items: lines,
          count: lines.length,
          output: lines.join('\n'),
          summary: text,
        },
      };
    },
  };
};

function findMessage({ text, quoted }: TaskView): string {
  const after = text.slice(Math.max(0, text.toLowerCase().lastIndexOf('commit')));
  const message = quoted.findLast((one) => after.includes(one));
  return message ?? text.split('\n')[0]?.slice(0, 72) ?? 'Change files';
}

function toArgs(input: Record<string, unknown>): unknown[] {
  return Array.isArray(input.args) ? input.args : [];
}
