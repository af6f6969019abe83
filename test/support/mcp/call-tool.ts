import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { countTokens } from '../../../src/mcp/answer/size.ts';

/** An answer of a tool. `fields`: its structured content. */
export interface Answer {
  fields: Record<string, unknown>;
  /** All its text, as a client without structured content reads it. */
  text: string;
  isError: boolean;
  tokens: number;
}

/** Calls a tool by the SDK's client, which checks the structured content against the tool's output schema. */
export async function callTool(client: Client, name: string, input: Record<string, unknown> = {}): Promise<Answer> {
  const answer = (await client.callTool({ name, arguments: input })) as CallToolResult;
  const text = answer.content.map((block) => (block.type === 'text' ? block.text : '')).join('\n');
  return {
    fields: answer.structuredContent ?? {},
    text,
    isError: answer.isError === true,
    tokens: countTokens(answer),
  };
}
