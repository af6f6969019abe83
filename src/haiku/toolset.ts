import { z } from 'zod';
import { askAcrossTool, askArchiveTool } from './tools/ask-archive-tool.ts';
import { askPeersTool } from './tools/peers/ask-peers-tool.ts';
import { createCsvTransformTool } from './tools/data/csv-transform-tool.ts';
import { ProgramStartError } from '../process/guarded-program.ts';
import { cutText } from '../text/truncate.ts';
import { editTool } from './tools/files/edit-tool.ts';
import { findingsAcrossTool, findingsTool } from './tools/findings-tool.ts';
import { gitTool } from './tools/git/git-tool.ts';
import { createGlobTool } from './tools/search/glob-tool.ts';
import { createGrepTool } from './tools/search/grep-tool.ts';
import { createListTool } from './tools/search/list-tool.ts';
import { handBackTool } from './tools/hand-back-tool.ts';
import { createHttpTool } from './tools/http/http-tool.ts';
import { createJsonTransformTool } from './tools/data/json-transform-tool.ts';
import { readTool } from './tools/files/read-tool.ts';
import { ToolRefusal } from './tools/tool-refusal.ts';
import { runTool } from './tools/run/run-tool.ts';
import type { Tool, ToolContext, ToolOutcome, Toolset } from './tools/tool.ts';
import { writeTool } from './tools/files/write-tool.ts';

export interface ToolsetOptions {
  /** Whether the task has a workspace. Without one no tool opens a file. */
  workspace: boolean;
  /** Names of allowed programs. Empty: the model is not offered `run`. */
  runAllow: readonly string[];
  /** Allowed hosts. Empty: the model is not offered `http`. */
  httpAllow: readonly string[];
  /** Whether a librarian is configured. False: the model is not offered `ask_archive`. Default false. */
  archive?: boolean;
  /** Whether findings of other swarms are read. Default false. */
  otherSwarms?: boolean;
  /** Whether the task may ask other workers. Default false. */
  peers?: boolean;
  /** Whether the task may only look: an assist task. Default false. */
  readOnly?: boolean;
}

/**
 * Creates the tools of a task. The same options always give the same definitions, byte for byte; what only this host allows is
 * told in the first message, so that hosts share them.
 */
export function createToolset(options: ToolsetOptions): Toolset {
  const tools = chooseTools(options);
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  return {
    definitions: tools.map(toDefinition),
    async run(name, input, context) {
      context.signal.throwIfAborted();
      const tool = byName.get(name);
      if (tool === undefined) {
        return toError(`${JSON.stringify(name)}: no such tool here; there are ${[...byName.keys()].join(', ')}`);
      }
      const outcome = await callTool(tool, input, context);
      const { workspace } = context;
      const notice = workspace?.takeNotice?.() ?? null;
      return {
        ...outcome,
        content: cutText(context.redact?.(outcome.content) ?? outcome.content),
        ...(notice === null ? {} : { notice }),
        ...(workspace?.own === undefined ? {} : { inTree: true }),
      };
    },
  };
}

/** Sorted by name: tasks whose tools differ still share the beginning of the cached prompt. */
function chooseTools(options: ToolsetOptions): Tool[] {
  const {
    workspace,
    runAllow,
    httpAllow,
    archive = false,
    otherSwarms = false,
    peers = false,
    readOnly = false,
  } = options;
  const looks = [
    otherSwarms ? findingsAcrossTool : findingsTool,
    ...(archive ? [otherSwarms ? askAcrossTool : askArchiveTool] : []),
  ];
  const reads = workspace ? [readTool, createGrepTool(), createGlobTool(), createListTool()] : [];
  if (readOnly) return sortByName([...looks, ...reads]);
  const tools = [
    ...looks,
    ...reads,
    ...(workspace ? [writeTool, editTool, gitTool] : []),
    ...(workspace && runAllow.length > 0 ? [runTool] : []),
    ...(httpAllow.length > 0 ? [createHttpTool()] : []),
    createJsonTransformTool(workspace),
    createCsvTransformTool(workspace),
    ...(peers ? [askPeersTool] : []),
    handBackTool,
  ];
  return sortByName(tools);
}

function sortByName(tools: readonly Tool[]): Tool[] {
  return tools.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function toDefinition(tool: Tool): Toolset['definitions'][number] {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(tool.input, { io: 'input', override: shorten });
  return { name: tool.name, description: tool.description, input_schema: { ...schema, type: 'object' } };
}

/** Leaves out what says nothing to a model, and what some providers refuse: the bounds of all integers, the form of names. */
function shorten({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  delete jsonSchema.propertyNames;
}

async function callTool(tool: Tool, input: unknown, context: ToolContext): Promise<ToolOutcome> {
  try {
    return await tool.run(input, context);
  } catch (error) {
    context.signal.throwIfAborted(); // an abort can surface as any error; throw its reason instead
    if (error instanceof ToolRefusal) return toError(error.message);
    if (error instanceof ProgramStartError) return toError(`${tool.name}: the program ${error.message}`);
    if (error instanceof z.ZodError) {
      return toError(`${tool.name}: the input breaks its schema:\n${z.prettifyError(error)}`);
    }
    throw error;
  }
}

function toError(content: string): ToolOutcome {
  return { content, isError: true };
}
