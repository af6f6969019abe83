import { parseGlob } from './grep-output.ts';
import type { Call, TaskView } from './types.ts';

/**
 * A call that changes nothing, for a turn that must call a tool and has no call left. It differs from turn to turn, so that
 * the worker does not take it for a loop.
 * @param turn replies given so far
 */
export function toFillerCalls(view: TaskView, turn: number): Call[] {
  const { tools, steps, files } = view;
  const listed = steps.filter((step) => step.name === 'glob').flatMap(parseGlob);
  const known = files.length > 0 ? files : listed;
  const path = known[turn % Math.max(1, known.length)];
  if (path === undefined && tools.has('glob') && listed.length === 0 && !steps.some((step) => step.name === 'glob')) {
    return [{ name: 'glob', input: { pattern: '**/*' } }];
  }
  if (path !== undefined && tools.has('read') && turn % 2 === 0) {
    const from = 1 + 10 * Math.floor(turn / 2);
    return [{ name: 'read', input: { file_path: path, view_range: [from, from + 9] } }];
  }
  if (tools.has('grep')) {
    const pattern = ['import', 'export', 'const', 'return', 'the'][turn % 5] ?? 'the';
    return [{ name: 'grep', input: path === undefined ? { pattern } : { pattern, path } }];
  }
  if (path !== undefined && tools.has('read')) return [{ name: 'read', input: { file_path: path } }];
  if (tools.has('findings')) return [{ name: 'findings', input: { action: 'search', query: view.text.slice(0, 100) } }];
  return [];
}
