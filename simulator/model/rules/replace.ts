import type { Answer, Call, Rule, TaskView } from '../task/types.ts';
import { findRequest } from '../task/mentions.ts';
import { type FileText, firstLine, readFiles } from '../task/reading.ts';
import type { Step } from '../task/steps.ts';

const WORDS =
  /\b(?:replace|change|rename|substitute)\s+(?:all\s+|every\s+|the\s+(?:word|text|string)\s+)*(\S+)\s+(?:with|to|by|into)\s+(\S+?)(?=[.,;]?(?:\s|$))/i;

/** Replaces one text by another in the files that the task names. */
export const replace: Rule = (view) => {
  if (findRequest(view.verbs, 'replace|change|rename|substitute') === undefined || !view.tools.has('edit')) return null;
  const texts = view.quoted.filter((one) => !view.files.includes(one));
  const [from, to] = texts.length >= 2 ? texts : (WORDS.exec(view.text)?.slice(1) ?? []);
  if (from === undefined || to === undefined || view.files.length === 0) return null;
  const { calls, files } = readFiles(view, view.files.slice(0, 12));
  const edits = files.map((file) => toEdit(view, file, from, to));
  return {
    next(): Call[] {
      if (calls.length > 0) return calls;
      return edits
        .filter(({ found, step }) => found > 0 && step === undefined)
        .map(({ input }) => ({ name: 'edit', input }));
    },
    answer: () => report(edits, from, to),
  };
};

interface Edit {
  file: FileText;
  /** Occurrences of the old text. */
  found: number;
  input: Call['input'];
  /** The call that changed the file; undefined until it is made. */
  step: Step | undefined;
}

function toEdit({ steps }: TaskView, file: FileText, from: string, to: string): Edit {
  const found = file.error === null ? file.text.split(from).length - 1 : 0;
  const input = {
    file_path: file.path,
    old_string: from,
    new_string: to,
    ...(found > 1 ? { replace_all: true } : {}),
  };
  return {
    file,
    found,
    input,
    step: steps.find((step) => step.name === 'edit' && step.input.file_path === file.path),
  };
}

function report(edits: readonly Edit[], from: string, to: string): Answer {
  const summary = edits.map((edit) => describeEdit(edit, from, to)).join('\n');
  const changed = edits.filter(({ step }) => step !== undefined && !step.isError);
  const paths = changed.map(({ file }) => file.path);
  const count = changed.reduce((sum, { found }) => sum + found, 0);
  return {
    text: summary,
    values: { files: paths, path: paths[0], count, replaced: count, ok: count > 0, success: count > 0, summary },
  };
}

function describeEdit({ file, found, step }: Edit, from: string, to: string): string {
  if (file.error !== null) return `${file.path} could not be read: ${file.error}`;
  if (step === undefined)
    return found === 0 ? `${file.path} does not contain \`${from}\`.` : `${file.path} was not changed.`;
  if (step.isError) return `${file.path} could not be changed: ${firstLine(step)}`;
  return `Replaced \`${from}\` with \`${to}\` ${found === 1 ? 'once' : `${found} times`} in ${file.path}.`;
}
