import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const hex = (bytes: number) => z.string().regex(new RegExp(`^(?!0+$)[0-9a-f]{${2 * bytes}}$`));
const nano = z.string().regex(/^[1-9]\d{18}$/); // 2001 to 2286
const value = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
  z.strictObject({ doubleValue: z.number() }),
]);
const attributes = z
  .array(z.strictObject({ key: z.string().min(1), value }))
  .refine((list) => new Set(list.map(({ key }) => key)).size === list.length, 'a key twice');
const span = z
  .strictObject({
    traceId: hex(16),
    spanId: hex(8),
    parentSpanId: hex(8).optional(),
    name: z.string().min(1),
    kind: z.int().min(1).max(5),
    startTimeUnixNano: nano,
    endTimeUnixNano: nano,
    attributes,
    events: z.array(z.strictObject({ timeUnixNano: nano, name: z.string().min(1), attributes })),
    status: z.strictObject({ code: z.int().min(0).max(2).optional(), message: z.string().optional() }),
  })
  .refine(
    ({ startTimeUnixNano, endTimeUnixNano }) => BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano),
    'ends first',
  );
/** `ExportTraceServiceRequest` of https://github.com/open-telemetry/opentelemetry-proto, in its JSON encoding. */
const request = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes }),
      scopeSpans: z.array(
        z.strictObject({ scope: z.strictObject({ name: z.string(), version: z.string() }), spans: z.array(span) }),
      ),
    }),
  ),
});

/** A span as it arrived, with its attributes by key. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string | undefined;
  name: string;
  kind: number;
  ms: number;
  isError: boolean;
  attributes: Record<string, string | number | boolean>;
  events: string[];
}

/** A receiver of OTLP over HTTP that refuses what is not as the protocol has it. */
export async function startOtlpReceiver() {
  const spans: ReceivedSpan[] = [];
  const refused: string[] = [];
  const requests: { path: string; headers: NodeJS.Dict<string | string[]>; body: string }[] = [];
  let busy = 0;
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      requests.push({ path: incoming.url ?? '', headers: incoming.headers, body });
      if (busy > 0) {
        busy -= 1;
        response.writeHead(503).end();
        return;
      }
      const parsed = request.safeParse(JSON.parse(body));
      if (!parsed.success) {
        refused.push(z.prettifyError(parsed.error));
        response.writeHead(400).end();
        return;
      }
      for (const { scopeSpans } of parsed.data.resourceSpans)
        for (const scope of scopeSpans) spans.push(...scope.spans.map(toReceived));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    refused,
    requests,
    /** Answers the next requests with 503. */
    beBusy: (times: number) => void (busy = times),
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function toReceived({ startTimeUnixNano, endTimeUnixNano, status, ...more }: z.output<typeof span>): ReceivedSpan {
  return {
    ...more,
    ms: Number((BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1_000_000n),
    isError: status.code === 2,
    attributes: Object.fromEntries(more.attributes.map((entry) => [entry.key, toPlain(entry.value)])),
    events: more.events.map(({ name }) => name),
  };
}

function toPlain(of: z.output<typeof value>): string | number | boolean {
  if ('intValue' in of) return Number(of.intValue);
  return Object.values(of)[0] ?? '';
}
