import type { ServerResponse } from 'node:http';
import { startRawProvider, type RawProvider } from '../models/raw-provider.ts';

/** What the model does next: a call of a tool, or its last words. */
export type ClaudeStep = { tool: string; input: Record<string, unknown> } | { text: string };

interface Block {
  type: string;
  [field: string]: unknown;
}

/** A provider that streams these steps to a Claude Code session, one for each result of a tool that it gets. */
export async function startClaudeProvider(
  steps: readonly ClaudeStep[],
): Promise<RawProvider & { results(): string[] }> {
  const provider = await startRawProvider((request, response, body) => {
    const { messages = [], tools = [] } = JSON.parse(body) as { messages?: { content: unknown }[]; tools?: unknown[] };
    if (!(request.url ?? '').startsWith('/v1/messages') || (request.url ?? '').includes('count_tokens')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"input_tokens":10}');
      return;
    }
    const done = readResults(messages).length;
    stream(response, tools.length === 0 ? { text: 'ok' } : (steps[done] ?? { text: 'done' }), done);
  });
  const results = () => readResults((provider.requests.at(-1)?.body['messages'] ?? []) as { content: unknown }[]);
  return { ...provider, results };
}

/** The texts of all results of tools in a conversation. */
function readResults(messages: { content: unknown }[]): string[] {
  const blocks = messages.flatMap(({ content }) => (Array.isArray(content) ? (content as Block[]) : []));
  return blocks
    .filter(({ type }) => type === 'tool_result')
    .map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content)));
}

function stream(response: ServerResponse, step: ClaudeStep, n: number): void {
  const isCall = 'tool' in step;
  const block = isCall
    ? { type: 'tool_use', id: `toolu_${n}`, name: step.tool, input: {} }
    : { type: 'text', text: '' };
  const delta = isCall
    ? { type: 'input_json_delta', partial_json: JSON.stringify(step.input) }
    : { type: 'text_delta', text: step.text };
  const usage = { input_tokens: 10, output_tokens: 5 };
  const message = { id: `msg_${n}`, type: 'message', role: 'assistant', model: 'claude-haiku-4-5', content: [], usage };
  const events = [
    { type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null } },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: isCall ? 'tool_use' : 'end_turn', stop_sequence: null }, usage },
    { type: 'message_stop' },
  ];
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''));
}
