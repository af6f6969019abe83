import type { Call, Intent, IntentRule, Scene } from '../intent.ts';
import { findRequest } from '../mentions.ts';
import { firstLine, type FileText, readFiles } from '../reading.ts';
import { describing } from './describe.ts';

const VERBS = 'append|add|create|write|save|document|put';

/** Creates a file or appends to one; without a given text it writes down what it read of the other files. */
export const write: IntentRule = (scene) => {
  const verb = findRequest(scene.verbs, VERBS);
  const target = verb === undefined ? undefined : findTarget(scene);
  if (verb === undefined || target === undefined || !scene.tools.has('write')) return null;
  const isAppend = verb === 'append' || (verb === 'add' && /\b(?:to|at the end)\b/.test(scene.verbs));
  const given = findGivenText(scene, target);
  const sources = scene.files.filter((path) => path !== target);
  const about = given === null ? describing({ ...scene, files: sources }, sources.slice(0, 12)) : null;
  const before = readFiles(scene, [target]);
  return writing(scene, target, { isAppend, given, about, before: before.files[0], reads: before.calls });
};

interface WritePlan {
  isAppend: boolean;
  /** The text the task gives, or null: then `about` says what to write. */
  given: string | null;
  about: Intent | null;
  /** The target as it was read; undefined until then. A target that is not there yet reads as an error. */
  before: FileText | undefined;
  reads: Call[];
}

function writing(scene: Scene, target: string, plan: WritePlan): Intent {
  const done = scene.steps.find((step) => step.name === 'write' && step.input.file_path === target);
  const old = plan.before?.error === null ? plan.before.text : '';
  const isPartial = plan.before?.error === null && !plan.before.isWhole;
  const text = plan.given ?? plan.about?.answer().text ?? '';
  return {
    next(): Call[] {
      if (done !== undefined) return [];
      const look = [...(plan.about?.next() ?? []), ...(scene.tools.has('read') ? plan.reads : [])];
      if (look.length > 0) return look;
      if (plan.isAppend && isPartial) return []; // writing back what was seen would cut the file
      const start = plan.isAppend && old !== '' && !old.endsWith('\n') ? `${old}\n` : plan.isAppend ? old : '';
      return [
        { name: 'write', input: { file_path: target, content: `${start}${text}${text.endsWith('\n') ? '' : '\n'}` } },
      ];
    },
    answer() {
      const what = plan.isAppend && old !== '' ? 'Appended to' : 'Wrote';
      const outcome =
        done === undefined
          ? `Nothing was written to ${target}${isPartial ? ': it is too large to append to with the tools at hand' : ''}.`
          : done.isError
            ? `${target} could not be written: ${firstLine(done)}`
            : `${what} ${target}: ${JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)}`;
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

/** The file after "to", "into" or "in", after the verb itself, else the only one named. */
function findTarget({ text, files }: Scene): string | undefined {
  const named = files.filter((path) => text.includes(path));
  const escaped = (path: string): string => path.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const before = (words: string) =>
    named.find((path) =>
      new RegExp(`\\b(?:${words})\\s+(?:the\\s+)?(?:file\\s+)?["'\`“]?${escaped(path)}`, 'i').test(text),
    );
  return (
    before('to|into') ??
    before('create|write|save|(?:new\\s+)?file|called|named|as') ??
    before('in') ??
    (files.length === 1 ? files[0] : undefined)
  );
}

/** The first quoted text that is no path, else what follows "with the text" or "saying", else null. */
function findGivenText({ text, quoted, files }: Scene, target: string): string | null {
  const commitAt = text.toLowerCase().lastIndexOf('commit'); // what is quoted after it is the message
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
