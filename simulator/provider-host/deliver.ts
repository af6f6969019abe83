import { type Exchange, send, untilGone, wait } from './exchange.ts';

const DRIPS = 10;
const GATEWAY_PAGE =
  '<!doctype html><html><head><title>Simulated gateway</title></head><body><h1>Please log in</h1></body></html>';

/** What is done to an answer on its way; other kinds change nothing here. */
export interface DeliveryFault {
  kind: string;
  delayMs: number;
}

/** Answers with a page of a gateway that never forwarded the request. */
export function sendGatewayPage(exchange: Exchange): void {
  send(exchange, 200, 'text/html; charset=utf-8', GATEWAY_PAGE);
}

/** Ends the connection with a TCP reset. */
export function reset({ req }: Exchange): void {
  req.socket.resetAndDestroy();
}

/** Sends a 200 the way the fault wants it sent; resolves when all that will be sent is sent. */
export async function deliver(
  exchange: Exchange,
  body: object,
  headers: Record<string, string>,
  fault: DeliveryFault | null,
): Promise<void> {
  const text = JSON.stringify(body);
  if (fault?.kind === 'reset-after') return reset(exchange);
  if (fault?.kind === 'slow-body') return drip(exchange, text, headers, fault.delayMs);
  if (fault?.kind === 'stalled-body') {
    start(exchange, text, headers);
    return untilGone(exchange.gone);
  }
  if (fault?.kind === 'slow-headers') await wait(fault.delayMs, exchange.gone);
  send(exchange, 200, 'application/json', spoilBody(fault, text), headers);
}

function spoilBody(fault: DeliveryFault | null, text: string): string {
  if (fault?.kind === 'broken-json') return text.slice(0, Math.floor(text.length / 2));
  return fault?.kind === 'empty-object' ? '{}' : text;
}

function start({ res, record, headers }: Exchange, text: string, extra: Record<string, string>): void {
  if (res.destroyed) return;
  record.status = 200;
  const length = String(Buffer.byteLength(text));
  res.writeHead(200, { ...headers, ...extra, 'content-type': 'application/json', 'content-length': length });
  res.flushHeaders();
}

async function drip(exchange: Exchange, text: string, headers: Record<string, string>, delayMs: number): Promise<void> {
  start(exchange, text, headers);
  const bytes = Buffer.from(text);
  const step = Math.ceil(bytes.length / DRIPS);
  for (let at = 0; at < bytes.length && !exchange.gone.aborted; at += step) {
    await wait(delayMs / DRIPS, exchange.gone);
    exchange.res.write(bytes.subarray(at, at + step));
  }
  exchange.res.end();
}
