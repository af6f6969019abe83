import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  applyOutcome,
  type ToolContext,
  type ToolOutcome,
  type WorkspaceContext,
  createToolState,
} from '../../src/haiku/tools/tool.ts';
import { createToolset } from '../../src/haiku/toolset.ts';
import { makeFolder } from './folder.ts';
import { foundFindings } from './found-findings.ts';

/** A real workspace, a folder outside of it, and a task that uses tools in the workspace. */
export interface ToolWorkspace {
  root: string;
  /** A folder beside the workspace that no tool may reach; holds `secret.txt` with `outside`. */
  outside: string;
  context: WorkspaceContext;
  put(path: string, content: string | Buffer): Promise<void>;
  /** Runs a tool as the task loop does, and adds the outcome to the task's state. */
  use(tool: string, input: unknown): Promise<ToolOutcome>;
}

export async function createToolWorkspace(overrides: Partial<ToolContext> = {}): Promise<ToolWorkspace> {
  const base = makeFolder();
  const root = join(base, 'workspace');
  const outside = join(base, 'outside');
  await mkdir(root);
  await mkdir(outside);
  await writeFile(join(outside, 'secret.txt'), 'outside\n');
  const context: WorkspaceContext = {
    files: [],
    state: createToolState(),
    signal: new AbortController().signal,
    findings: { get: () => Promise.resolve(null), find: () => Promise.resolve(foundFindings()) },
    runAllow: [],
    httpAllow: [],
    redisHosts: () => [{ host: '127.0.0.1', port: 6379 }],
    lockFolder: join(base, 'locks'),
    ...overrides,
    workspace: { name: 'site', root },
  };
  const toolset = createToolset({ workspace: true, runAllow: context.runAllow, httpAllow: context.httpAllow });
  return {
    root,
    outside,
    context,
    async put(path, content) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    },
    async use(tool, input) {
      const outcome = await toolset.run(tool, input, context);
      applyOutcome(context.state, outcome);
      return outcome;
    },
  };
}
