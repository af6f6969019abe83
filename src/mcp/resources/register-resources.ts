import { ResourceTemplate, type McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { ErrorCode, McpError, type ReadResourceResult } from '@modelcontextprotocol/sdk/types.js';
import { configSecrets, createRedactor } from '../../config/redact.ts';
import { FleetError, NotFoundError, UsageError } from '../../errors.ts';
import type { Logger } from '../../process/logger.ts';
import { toOneLine } from '../../text/one-line.ts';
import { toMaterial } from '../../text/quoting/material.ts';
import { cutPages } from '../answer/pages.ts';
import { inTime } from '../tool/in-time.ts';
import type { McpSession } from '../tool/types.ts';
import { completeIds, listIds, resourceKinds, type ResourceKind } from './kinds.ts';

/** A page of a resource is sent once. */
const PAGE = 6_000;
/** https://modelcontextprotocol.io/specification/2025-11-25/server/resources: resource not found. */
const NOT_FOUND = -32_002;

export interface ResourceParts {
  open: () => Promise<McpSession>;
  log: Logger;
}

/** Registers `fleet://finding/ID`, `fleet://context/NAME` and `fleet://patch/ID`, each also with a page: `fleet://finding/ID/2`. */
export function registerResources(server: McpServer, parts: ResourceParts): void {
  for (const kind of resourceKinds) {
    const uri = `fleet://${kind.kind}/{id}`;
    const read = (id: unknown, page: unknown, href: string) =>
      guard(parts, (session) => readPage(session, kind, id, page, href));
    const complete = {
      id: (typed: string) => guard(parts, ({ fleet }) => completeIds(kind, fleet, typed)),
    };
    const list = async () => {
      const ids = await guard(parts, ({ fleet }) => listIds(kind, fleet));
      return { resources: ids.map((id) => ({ uri: toUri(kind, id), name: id, mimeType: 'text/plain' })) };
    };
    const about = { title: kind.kind, description: kind.description, mimeType: 'text/plain' };
    server.registerResource(kind.kind, new ResourceTemplate(uri, { list, complete }), about, ({ href }, { id }) =>
      read(id, '1', href),
    );
    const paged = new ResourceTemplate(`${uri}/{page}`, { list: undefined, complete });
    server.registerResource(`${kind.kind} page`, paged, about, ({ href }, { id, page }) => read(id, page, href));
  }
}

async function readPage(
  session: McpSession,
  kind: ResourceKind,
  id: unknown,
  page: unknown,
  href: string,
): Promise<ReadResourceResult> {
  const name = toName(String(id));
  const text = await kind.read(session.fleet, name);
  if (text === null) throw new NotFoundError(`there is no ${kind.kind} ${JSON.stringify(toOneLine(name, 100))}`);
  const redact = createRedactor(configSecrets(session.fleet.inner.config));
  const pages = cutPages(redact(text), PAGE);
  const number = Number(page);
  const shown = pages[number - 1];
  if (shown === undefined)
    throw new UsageError(`${kind.kind} ${name}: expected page 1..${pages.length}, got ${toOneLine(String(page), 20)}`);
  const note =
    pages.length === 1
      ? []
      : [
          `page ${number} of ${pages.length}${number < pages.length ? `; next: ${toUri(kind, name)}/${number + 1}` : ''}`,
        ];
  return {
    contents: [
      { uri: href, mimeType: 'text/plain', text: [...note, toMaterial(`${kind.kind} ${name}`, shown)].join('\n') },
    ],
  };
}

/** @throws UsageError */
function toName(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    throw new UsageError(`expected an id as encodeURIComponent writes it, got ${toOneLine(id, 100)}`);
  }
}

function toUri({ kind }: ResourceKind, id: string): string {
  return `fleet://${kind}/${encodeURIComponent(id)}`;
}

/** Errors of the fleet become errors of the protocol, which say the rule. */
async function guard<T>({ open, log }: ResourceParts, work: (session: McpSession) => Promise<T>): Promise<T> {
  let redact = createRedactor([]);
  try {
    return await inTime('resource', new AbortController().signal, async () => {
      const session = await open();
      redact = createRedactor(configSecrets(session.fleet.inner.config));
      return work(session);
    });
  } catch (error) {
    if (!(error instanceof FleetError)) {
      log.warn({ error }, 'mcp: a resource cannot be read');
      throw new McpError(ErrorCode.InternalError, 'the log of the MCP server says why');
    }
    throw new McpError(
      error instanceof NotFoundError ? NOT_FOUND : ErrorCode.InvalidParams,
      redact(toOneLine(error.message, 600)),
    );
  }
}
