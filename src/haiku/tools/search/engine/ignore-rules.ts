import { readWhole } from '../../files/text-file.ts';
import type { WorkspaceContext } from '../../tool.ts';

/**
 * The rules of `.gitignore` files above `folder`, up to the workspace's root, as one text whose patterns begin at the root.
 * ripgrep reads those below a folder by itself, but from above it would read beyond the workspace.
 * @param folder relative to the workspace; '' is the root
 */
export async function readRulesAbove(folder: string, context: Pick<WorkspaceContext, 'workspace'>): Promise<string> {
  const parts = folder.split('/').filter(Boolean);
  const lines: string[] = [];
  for (const depth of parts.keys()) {
    const base = parts.slice(0, depth).join('/');
    const path = base === '' ? '.gitignore' : `${base}/.gitignore`;
    const file = await readWhole(context.workspace.root, path).catch(() => null); // git skips what it cannot read, too
    if (file !== null) lines.push(...toRootRules(base, file.bytes.toString('utf8')));
  }
  return lines.join('\n');
}

/** @param base folder of the rules, relative to the root; '' is the root */
function toRootRules(base: string, text: string): string[] {
  const prefix = base === '' ? '' : `/${escapeGlob(base)}`;
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line) => {
      if (line.startsWith('#')) return [];
      const isExcepted = line.startsWith('!');
      const trimmed = line.endsWith('\\ ') ? line : line.trimEnd();
      const pattern = isExcepted ? trimmed.slice(1) : trimmed;
      if (pattern === '' || pattern === '/') return [];
      const isAnchored = pattern.slice(0, -1).includes('/');
      const rule = isAnchored ? `${prefix}/${pattern.replace(/^\//, '')}` : `${prefix}/**/${pattern}`;
      return [isExcepted ? `!${rule}` : rule];
    });
}

/** Escapes what means more than itself in a glob. */
export function escapeGlob(path: string): string {
  return path.replaceAll(/[\\*?[\]{}!#]/g, String.raw`\$&`);
}
