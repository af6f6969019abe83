import { betaGrepTool } from '@anthropic-ai/sdk/tools/agent-toolset/node';
import { isAbsolute, relative, sep } from 'node:path';
import { z } from 'zod';
import { isGitInternal } from './secret-names.ts';
import { openInside } from './open-inside.ts';
import { requireWorkspace, toRefusal, ToolRefusal } from '../tool-refusal.ts';
import { isAllowedName, resolveInside } from './safe-path.ts';
import { readWhole } from './text-file.ts';
import { defineTool, type WorkspaceContext } from '../tool.ts';

/** Searches with the SDK's grep, which has its own thread, so that a slow pattern blocks nothing. Every hit is checked. */
export const grepTool = defineTool({
  name: 'grep',
  description:
    'Search file contents for a regular expression, line by line. Gives path:line:text. Leaves out .git, node_modules and secrets.',
  input: z.strictObject({
    pattern: z.string().min(1).max(1_000),
    path: z.string().min(1).optional().describe('file or folder to search, relative to the workspace; default all'),
  }),
  async run({ pattern, path }, given) {
    const context = requireWorkspace(given);
    const target = path === undefined ? '' : await resolveInside(path, context);
    const isFile = await requireSearchable(context.workspace.root, target);
    const found = await search(pattern, target, context);
    const hits = await keepAllowed(found.split('\n'), isFile ? target : null, context);
    return { content: hits.length === 0 ? 'no matches' : hits.join('\n'), isError: false };
  },
});

/** @returns whether the target is a file @throws ToolRefusal for a FIFO or device: reading it would never end */
async function requireSearchable(root: string, target: string): Promise<boolean> {
  try {
    const file = await openInside(root, target);
    try {
      const stats = await file.stat();
      if (stats.isFile() || stats.isDirectory()) return stats.isFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw toRefusal(error, target);
  }
  throw new ToolRefusal(`${JSON.stringify(target)}: is neither a file nor a folder`);
}

async function search(pattern: string, target: string, context: WorkspaceContext): Promise<string> {
  const toolUse = { type: 'tool_use' as const, id: 'grep', name: 'grep', input: {} };
  try {
    const found = await betaGrepTool({ workdir: context.workspace.root }).run(
      { pattern, ...(target === '' ? {} : { path: target }) },
      { toolUse, toolUseBlock: toolUse, signal: context.signal },
    );
    if (typeof found !== 'string') throw new TypeError('grep of the SDK gave something other than text');
    return found === 'no matches' ? '' : found;
  } catch (error) {
    if (error instanceof Error && error.name === 'ToolError') throw new ToolRefusal(error.message, { cause: error });
    throw error;
  }
}

/**
 * Keeps the hits that the model may see. The search opens files by path, ignores the guard on names, and its
 * `path:line:text` is ambiguous for names with colons. A hit is kept only if an allowed file, opened safely, contains its
 * text.
 */
async function keepAllowed(lines: string[], file: string | null, context: WorkspaceContext): Promise<string[]> {
  const texts = new Map<string, string | null>();
  const readText = async (path: string): Promise<string | null> => {
    const known = texts.get(path);
    if (known !== undefined) return known;
    const text = await readAllowed(path, context);
    texts.set(path, text);
    return text;
  };
  const kept: string[] = [];
  for (const line of lines) {
    context.signal.throwIfAborted();
    for (const hit of toCandidates(line, file, context.workspace.root)) {
      const text = await readText(hit.path);
      if (text === null || !text.includes(hit.text)) continue;
      kept.push(`${hit.path}:${hit.line}:${hit.text}`);
      break;
    }
    if (/^\[(output truncated|the search was cut short)/.test(line)) kept.push(line);
  }
  return kept;
}

/** Returns every way to split one line of the search's output into path, line and text. */
function toCandidates(line: string, file: string | null, root: string): { path: string; line: string; text: string }[] {
  const bare = /^(\d+):(.*)$/s.exec(line); // of a search in one file ripgrep prints no path
  if (file !== null && bare !== null) return [{ path: file, line: bare[1] ?? '', text: bare[2] ?? '' }];
  return [...line.matchAll(/:(\d+):/g)].map((match) => ({
    path: relative(root, line.slice(0, match.index)).split(sep).join('/'),
    line: match[1] ?? '',
    text: line.slice(match.index + match[0].length),
  }));
}

async function readAllowed(path: string, context: WorkspaceContext): Promise<string | null> {
  if (path === '' || path.startsWith('../') || isAbsolute(path)) return null;
  if (isGitInternal(path) || !isAllowedName(path, context.files)) return null;
  try {
    return (await readWhole(context.workspace.root, path))?.bytes.toString('utf8') ?? null;
  } catch (error) {
    if (error instanceof ToolRefusal) return null;
    throw error;
  }
}
