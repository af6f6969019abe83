import { plural } from '../task/file-facts.ts';
import { isCut, parseGlob } from '../task/grep-output.ts';
import type { Call, Rule } from '../task/types.ts';
import { findStep } from '../task/steps.ts';

const EVERYTHING = '**/*';
/** Patterns for one depth each, used when the listing of everything is cut. */
const BY_DEPTH = Array.from({ length: 8 }, (_, depth) => `${'*/'.repeat(depth)}*`);
/** Characters of an entry besides its path: `{"path":"","bytes":0},`. */
const ENTRY_CHARACTERS = 24;

/** “List every file of the workspace …”: all paths that the glob tool shows; the least nested if not all fit into the reply. */
export const survey: Rule = (view) => {
  if (!/^list every file\b/i.test(view.text) || !view.tools.has('glob')) return null;
  const whole = findStep(view.steps, 'glob', { pattern: EVERYTHING });
  const patterns = whole !== undefined && isCut(whole) ? BY_DEPTH : [];
  const parts = patterns.map((pattern) => ({ pattern, step: findStep(view.steps, 'glob', { pattern }) }));
  const toCall = (pattern: string): Call => ({ name: 'glob', input: { pattern } });
  return {
    next() {
      if (whole === undefined) return [toCall(EVERYTHING)];
      return parts.filter(({ step }) => step === undefined).map(({ pattern }) => toCall(pattern));
    },
    answer() {
      const steps = [whole, ...parts.map(({ step }) => step)].flatMap((step) => step ?? []);
      const found = [...new Set(steps.flatMap(parseGlob))].toSorted(
        (a, b) => depthOf(a) - depthOf(b) || (a < b ? -1 : 1),
      );
      const shown = takeFitting(found, view.room.characters);
      const note = shown.length < found.length ? `; the ${shown.length} nearest to the top are named` : '';
      const head = `${plural(found.length, 'file')} in the workspace${note}.`;
      const values = { files: shown, paths: shown, items: shown.map((path) => ({ path, bytes: 0 })) };
      const isWhole = !steps.some(isCut) && shown.length === found.length;
      return {
        text: [head, ...shown.map((path) => `- ${path}`)].join('\n'),
        values: { ...values, count: found.length, total: found.length, complete: isWhole, summary: head },
      };
    },
  };
};

function depthOf(path: string): number {
  return path.split('/').length;
}

function takeFitting(paths: readonly string[], characters: number): string[] {
  let room = characters * 0.9 - 200;
  return paths.filter((path) => (room -= path.length + ENTRY_CHARACTERS) >= 0);
}
