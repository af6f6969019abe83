import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { GetPromptResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { toCoordinatorPrompt, toHandoffPrompt, toWorkerPrompt } from './texts.ts';

const text = (description: string) => z.string().max(2_000).optional().describe(description);

/** Registers the prompts that a person starts from. */
export function registerPrompts(server: McpServer): void {
  server.registerPrompt(
    'coordinator',
    {
      title: 'Coordinate the fleet',
      description: 'decide and delegate',
      argsSchema: { goal: text('what is to be reached') },
    },
    ({ goal = '' }) => toMessage(toCoordinatorPrompt(goal)),
  );
  server.registerPrompt(
    'worker',
    {
      title: 'Work as an outside worker',
      description: 'claim tasks, do them, report',
      argsSchema: { name: text('of this agent') },
    },
    ({ name = '' }) => toMessage(toWorkerPrompt(name)),
  );
  server.registerPrompt(
    'handoff',
    {
      title: 'Hand over',
      description: 'leave the next session what it must know',
      argsSchema: { session: text('its name') },
    },
    ({ session = '' }) => toMessage(toHandoffPrompt(session)),
  );
}

function toMessage(prompt: string): GetPromptResult {
  return { messages: [{ role: 'user', content: { type: 'text', text: prompt } }] };
}
