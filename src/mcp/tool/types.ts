import type { z } from 'zod';
import type { OpenFleet } from '../../api/open-fleet.ts';
import type { Redact } from '../../config/redact.ts';
import type { Role } from '../../clients/types.ts';

/** Who calls, and the fleet that the calls work on. */
export interface McpSession {
  /** Stamps all that it adds with the client. */
  fleet: OpenFleet;
  role: Role;
  /** Name of the client; null: the person who runs the command. */
  client: string | null;
}

/** One call of a tool. */
export interface ToolCall extends McpSession {
  /** Removes secrets: for text that is cut, so that no half of one is left. Whole answers are redacted by whoever runs the tool. */
  redact: Redact;
  /** Fires when the client gives up, or when the call has taken too long. */
  signal: AbortSignal;
  /** Tells a client that asked for it how far the call is. `done` must grow. */
  report(done: number, total: number, message: string): Promise<void>;
}

/** What a client may expect of a tool: https://modelcontextprotocol.io/specification/2025-11-25/server/tools */
export interface ToolHints {
  readOnlyHint: boolean;
  destructiveHint: boolean;
  idempotentHint: boolean;
  openWorldHint: boolean;
}

/** The fields of an answer. `material` is text that others wrote, marked by `toMaterial`. */
export type ToolAnswer = Record<string, unknown> & { material?: string | undefined };

export interface Tool<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  name: string;
  title: string;
  description: string;
  /** The least role that sees and calls it. */
  needs: Role;
  hints: ToolHints;
  input: Input;
  output: Output;
  run(call: ToolCall, input: z.output<Input>): Promise<z.input<Output> & ToolAnswer>;
}

/** A tool whose types are its own affair. */
export type AnyTool = Omit<Tool, 'run'> & { run(call: ToolCall, input: never): Promise<ToolAnswer> };

/** Defines a tool with its types. */
export function defineTool<Input extends z.ZodType, Output extends z.ZodType>(tool: Tool<Input, Output>): AnyTool {
  return tool;
}

/** Changes nothing. */
export const READS: ToolHints = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};
