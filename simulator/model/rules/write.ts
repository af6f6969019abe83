import { escapePattern } from '../task/grep-output.ts';
import type { Call, RuleMatch, Rule, TaskView } from '../task/types.ts';
import { findRequest } from '../task/mentions.ts';
import { firstLine, type FileText, readFiles } from '../task/reading.ts';
import type { Step } from '../task/steps.ts';
import { describing } from './describe.ts';

const VERBS = 'append|add|create|write|save|document|put';

/** Creates a file or appends to it. Without a given text it writes a description of the other files. */
export const write: Rule = (view) => {
  const verb = findRequest(view.verbs, VERBS);
  const hasText = findGivenText(view, null) !== null;
  const target = verb === undefined ? undefined : findTarget(view, hasText);
  if (verb === undefined || target === undefined || !view.tools.has('write')) return null;
  const isAppend = verb === 'append' || verb === 'add' || (hasText && verb === 'put');
  const given = findGivenText(view, target);
  const sources = view.files.filter((path) => path !== target);
  const about = given === null ? describing({ ...view, files: sources }, sources.slice(0, 12)) : null;
  const before = readFiles(view, [target]);
  return writing(view, target, { isAppend, given, about, before: before.files[0], reads: before.calls });
};

interface WritePlan {
  isAppend: boolean;
  /** The text that the task gives; null: the answer of `about` is written. */
  given: string | null;
  about: RuleMatch | null;
  /** The target's content; undefined until it is read. A missing file has an error. */
  before: FileText | undefined;
  reads: Call[];
}

function writing(view: TaskView, target: string, plan: WritePlan): RuleMatch {
  const done = view.steps.find((step) => step.name === 'write' && step.input.file_path === target);
  const old = plan.before?.error === null ? plan.before.text : '';
  const isPartial = plan.before?.error === null && !plan.before.isWhole;
  const text = plan.given ?? plan.about?.answer().text ?? '';
  return {
    next(): Call[] {
      if (done !== undefined) return [];
      const look = [...(plan.about?.next() ?? []), ...(view.tools.has('read') ? plan.reads : [])];
      if (look.length > 0) return look;
      if (plan.isAppend && isPartial) return []; // writing back the part that was read would cut the file
      const start = plan.isAppend && old !== '' && !old.endsWith('\n') ? `${old}\n` : plan.isAppend ? old : '';
      return [
        { name: 'write', input: { file_path: target, content: `${start}${text}${text.endsWith('\n') ? '' : '\n'}` } },
      ];
    },
    answer() {
      const what = plan.isAppend && old !== '' ? 'Appended to' : 'Wrote';
      const nothing = `Nothing was written to ${target}${isPartial ? ': it is too large to append to with the tools at hand' : ''}.`;
      const outcome = done === undefined ? nothing : describeWrite(done, target, what, text);
      const ok = done !== undefined && !done.isError;
      return {
        text: outcome,
        values: {
          path: target,
          file: target,
          files: ok ? [target] : [],
          ok,
          success: ok,
          written: ok,
          content: text,
          summary: outcome,
        },
      };
    },
  };
}

function describeWrite(step: Step, target: string, what: string, text: string): string {
  if (step.isError) return `${target} could not be written: ${firstLine(step)}`;
  return `${what} ${target}: ${JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)}`;
}

/**
 * The file after "to", "into" or "in", or right after the verb. A file that is only the subject ("docs for a.ts") is never
 * the target.
 */
function findTarget({ text, files }: TaskView, hasText: boolean): string | undefined {
  const named = files.filter((path) => text.includes(path));
  const after = (words: string) =>
    named.find((path) =>
      new RegExp(`\\b(?:${words})\\s+(?:(?:the|a|new)\\s+)*(?:file\\s+)?["'\`“]?${escapePattern(path)}`, 'i').test(
        text,
      ),
    );
  const [only] = files;
  const isSubject = only !== undefined && after('of|for|about|from|on|how|what') === only;
  const fallback = hasText && files.length === 1 && !isSubject ? only : undefined;
  const inside = hasText || files.length > 1 ? after('in') : undefined;
  return after('to|into') ?? after('create|write|save|called|named|as') ?? inside ?? fallback;
}

/** The first quoted text that is not a path, else what follows "with the text" or "saying", else null. */
function findGivenText({ text, quoted, files }: TaskView, target: string | null): string | null {
  const commitAt = text.toLowerCase().lastIndexOf('commit'); // a quote after it is the commit's message
  const quote = quoted.find(
    (one) => one !== target && !files.includes(one) && (commitAt < 0 || text.indexOf(one) < commitAt),
  );
  if (quote !== undefined) return quote.replaceAll(String.raw`\n`, '\n');
  const rest =
    /\b(?:with (?:the )?(?:text|content|contents|line)|saying|containing|that says)s?\b:?\s+([\s\S]+)$/i.exec(
      text,
    )?.[1];
  return rest?.trim() ?? null;
}
