import { type Exchange, send, untilGone, wait } from './exchange.ts';

const PIECES = 10; // of a slow body
const GATEWAY_PAGE =
  '<!doctype html><html><head><title>Simulated gateway</title></head><body><h1>Please log in</h1></body></html>';

/** A fault as far as it changes how an answer arrives. Other kinds change nothing here. */
export interface DeliveryFault {
  kind: string;
  delayMs: number;
}

interface Body {
  /** Of the `content-type` header. */
  type: string;
  text: string;
}

/** Ends a request that the fault keeps from the provider, so that nothing is billed. @returns whether it did */
export function intercept(exchange: Exchange, fault: DeliveryFault | null): boolean {
  if (fault?.kind === 'reset-before') reset(exchange);
  else if (fault?.kind === 'html') send(exchange, 200, 'text/html; charset=utf-8', GATEWAY_PAGE);
  else return false;
  return true;
}

/** Sends JSON with status 200 as the fault wants it sent. Resolves when all that will be sent is sent. */
export function deliver(
  exchange: Exchange,
  body: object,
  headers: Record<string, string>,
  fault: DeliveryFault | null,
): Promise<void> {
  return deliverText(exchange, { type: 'application/json', text: JSON.stringify(body) }, headers, fault);
}

/** The same for a body of any type. */
export async function deliverText(
  exchange: Exchange,
  body: Body,
  headers: Record<string, string>,
  fault: DeliveryFault | null,
): Promise<void> {
  if (fault?.kind === 'reset-after') return reset(exchange);
  if (fault?.kind === 'slow-body') return sendInPieces(exchange, body, headers, fault.delayMs);
  if (fault?.kind === 'stalled-body') {
    start(exchange, body, headers);
    return untilGone(exchange.gone);
  }
  if (fault?.kind === 'slow-headers') await wait(fault.delayMs, exchange.gone);
  send(exchange, 200, body.type, spoilBody(fault, body.text), headers);
}

/** Ends the connection with a TCP reset. */
function reset({ req }: Exchange): void {
  req.socket.resetAndDestroy();
}

function spoilBody(fault: DeliveryFault | null, text: string): string {
  if (fault?.kind === 'broken-json') return text.slice(0, Math.floor(text.length / 2));
  return fault?.kind === 'empty-object' ? '{}' : text;
}

function start({ res, record, headers }: Exchange, { type, text }: Body, extra: Record<string, string>): void {
  if (res.destroyed) return;
  record.status = 200;
  const length = String(Buffer.byteLength(text));
  res.writeHead(200, { ...headers, ...extra, 'content-type': type, 'content-length': length });
  res.flushHeaders();
}

async function sendInPieces(
  exchange: Exchange,
  body: Body,
  headers: Record<string, string>,
  delayMs: number,
): Promise<void> {
  start(exchange, body, headers);
  const bytes = Buffer.from(body.text);
  const size = Math.ceil(bytes.length / PIECES);
  for (let sent = 0; sent < bytes.length && !exchange.gone.aborted; sent += size) {
    await wait(delayMs / PIECES, exchange.gone);
    exchange.res.write(bytes.subarray(sent, sent + size));
  }
  exchange.res.end();
}
