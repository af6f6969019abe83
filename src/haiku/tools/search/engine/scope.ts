import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAllowedName } from '../../files/safe-path.ts';
import { isGitInternal } from '../../files/secret-names.ts';
import { ToolRefusal } from '../../tool-refusal.ts';
import type { WorkspaceContext } from '../../tool.ts';
import { escapeGlob, readRulesAbove } from './ignore-rules.ts';

/** What part of the workspace a tool looks at. */
export interface Scope {
  /** File or folder, relative to the workspace and resolved; '' is all. */
  target: string;
  /** Whether it looks also at what `.gitignore` files name, and at node_modules. */
  ignored: boolean;
}

export type SearchContext = Pick<WorkspaceContext, 'workspace' | 'files' | 'signal'>;

/** Whether a tool may show this path: it is no part of `.git`, and not guarded by its name. */
export function isShown(path: string, { files }: Pick<SearchContext, 'files'>): boolean {
  return !isGitInternal(path) && isAllowedName(path, files);
}

/** The one rule of grep, glob and list for the parameter `ignored`, as models are told. */
export const IGNORED_HELP = 'true: also files that .gitignore names, and node_modules; default false';

/**
 * Runs `work` with the options that make ripgrep look at this part: hidden files too, never `.git`; nothing that a `.gitignore`
 * of the workspace names, and no node_modules, unless `ignored`. A file or folder that is named directly is always looked at.
 */
export async function withScope<T>(
  { target, ignored }: Scope,
  context: SearchContext,
  work: (scope: { options: string[]; at: string[] }) => Promise<T>,
): Promise<T> {
  const options = ['--iglob=!.git', ...(ignored ? ['--no-ignore'] : ['--glob=!node_modules'])];
  const at = ['--', `./${target}`];
  const rules = ignored ? '' : await readRulesAbove(target, context);
  if (rules === '') return await work({ options, at });
  const folder = await mkdtemp(join(tmpdir(), 'haiku-fleet-search-'));
  try {
    const file = join(folder, 'rules');
    await writeFile(file, rules);
    return await work({ options: [...options, `--ignore-file=${file}`], at });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const EVERYTHING = /^(?:\*\*|(?:\*\*\/)+\*\*?)$/;

/**
 * The options for a glob of a model; null: it leaves nothing out. A glob is also taken by its letter where it has brackets, which
 * many names have (`app/[id]/page.tsx`), and in both forms of composed characters.
 * @param folder relative to the workspace; the glob begins there
 * @throws ToolRefusal if it leads outside
 */
export function toGlobOptions(tool: string, glob: string, folder: string): string[] | null {
  const shown = JSON.stringify(glob);
  if (glob.includes('\0')) throw new ToolRefusal(`${tool}: glob ${shown} may not contain a NUL byte`);
  if (glob.startsWith('/') || /(^|[/{,!])\.\.([/},]|$)/.test(glob)) {
    throw new ToolRefusal(`${tool}: glob ${shown} leads outside; use one relative to the folder, without ".."`);
  }
  const plain = glob
    .replace(/^(\.\/)+/, '')
    .replace(/\/$/, '/**')
    .replace(/ $/, '\\ ');
  if (EVERYTHING.test(plain)) return null;
  const base = folder === '' ? '' : `/${escapeGlob(folder)}`;
  const literal = plain.replaceAll(/(?<!\\)[[\]]/g, String.raw`\$&`);
  const forms = [plain, literal].flatMap((form) => [form, form.normalize('NFC'), form.normalize('NFD')]);
  return [...new Set(forms)].map((form) => `--glob=${base}/${form}`);
}
