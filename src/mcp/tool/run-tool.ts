import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { configSecrets, createRedactor, type Redact } from '../../config/redact.ts';
import { FleetError, HaltError, toMessage } from '../../errors.ts';
import type { Logger } from '../../process/logger.ts';
import { toRedisError } from '../../redis/errors/redis-errors.ts';
import { toOneLine } from '../../text/one-line.ts';
import { shrinkLists } from '../answer/shrink.ts';
import { countTokens, MOST_TOKENS } from '../answer/size.ts';
import { inTime } from './in-time.ts';
import { mayAs } from './roles.ts';
import type { AnyTool, McpSession, ToolAnswer, ToolCall } from './types.ts';

/** Longest message of an error, UTF-16 code units: it may quote what another program wrote. */
const MESSAGE_LENGTH = 1_500;

/**
 * Runs one call. It never throws, and takes at most 48 s: an error is an answer, too, that names the rule and the way out.
 * @param open the caller's session. What it throws, such as a Redis that is away, is an answer as well
 */
export async function runTool(
  tool: AnyTool,
  input: unknown,
  parts: { open: () => Promise<McpSession>; log: Logger } & Pick<ToolCall, 'signal' | 'report'>,
): Promise<CallToolResult> {
  const opened: { session: McpSession | null } = { session: null };
  try {
    return await inTime(tool.name, parts.signal, async (signal) => {
      const session = (opened.session = await parts.open());
      const redact = redactorOf(session);
      if (!mayAs(session.role, tool.needs)) return toError(describeRole(tool, session));
      return toResult(await tool.run({ ...session, ...parts, redact, signal }, input as never), redact);
    });
  } catch (thrown) {
    const { session } = opened;
    const { REDIS_URL: url, embedded } = session?.fleet.inner.config ?? { REDIS_URL: '', embedded: null };
    const error = url === '' ? thrown : toRedisError(thrown, url, embedded !== null);
    if (!(error instanceof FleetError)) parts.log.warn({ error, tool: tool.name }, 'mcp: a call failed');
    return toError(redactorOf(session)(describe(error)));
  }
}

/** The answer as structured content, and as text: the facts as JSON, then the material as it is. Lists that are too long lose their end. */
function toResult(answer: ToolAnswer, redact: Redact): CallToolResult {
  const { material, ...all } = redactTexts(answer, redact) as ToolAnswer;
  const quoted = material === undefined ? {} : { material };
  for (let facts: Record<string, unknown> = all; ;) {
    const text = [JSON.stringify(facts), ...Object.values(quoted)].join('\n');
    const result: CallToolResult = { content: [{ type: 'text', text }], structuredContent: { ...facts, ...quoted } };
    const tokens = countTokens(result);
    if (tokens <= MOST_TOKENS) return result;
    const fewer = shrinkLists(facts);
    if (fewer === null) {
      return toError(
        `the answer has about ${tokens} tokens, at most ${MOST_TOKENS} are sent; ask for less: a page, a batch, a lower limit`,
      );
    }
    facts = fewer;
  }
}

function toError(message: string): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: message }] };
}

function describe(error: unknown): string {
  if (!(error instanceof FleetError))
    return 'the call failed for an unexpected reason; the log of the MCP server says which';
  // A halt's words may be a provider's or another program's: status quotes them as material.
  if (error instanceof HaltError) return 'the fleet is halted; the tool status shows why, and the ways out';
  return toOneLine(toMessage(error), MESSAGE_LENGTH);
}

function describeRole({ name, needs }: AnyTool, { role, client }: McpSession): string {
  return `${name}: needs a token of role ${needs}, ${client ?? 'this one'} has ${role}; a person adds one: fleet token add NAME --role ${needs} --budget USD`;
}

function redactorOf(session: McpSession | null): Redact {
  return createRedactor(session === null ? [] : configSecrets(session.fleet.inner.config));
}

/** The same value with every text redacted; the names of fields are the fleet's own. */
function redactTexts(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactTexts(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, redactTexts(item, redact)]));
}
