import { type Exchange, send, untilGone, wait } from './exchange.ts';

const PIECES = 10; // of a slow body
const GATEWAY_PAGE =
  '<!doctype html><html><head><title>Simulated gateway</title></head><body><h1>Please log in</h1></body></html>';

/** A fault as far as it changes how an answer arrives. Other kinds change nothing here. */
export interface DeliveryFault {
  kind: string;
  delayMs: number;
}

/** Ends a request that the fault keeps from the provider, so that nothing is billed. @returns whether it did */
export function intercept(exchange: Exchange, fault: DeliveryFault | null): boolean {
  if (fault?.kind === 'reset-before') reset(exchange);
  else if (fault?.kind === 'html') send(exchange, 200, 'text/html; charset=utf-8', GATEWAY_PAGE);
  else return false;
  return true;
}

/** Sends a 200 as the fault wants it sent. Resolves when all that will be sent is sent. */
export async function deliver(
  exchange: Exchange,
  body: object,
  headers: Record<string, string>,
  fault: DeliveryFault | null,
): Promise<void> {
  const text = JSON.stringify(body);
  if (fault?.kind === 'reset-after') return reset(exchange);
  if (fault?.kind === 'slow-body') return sendInPieces(exchange, text, headers, fault.delayMs);
  if (fault?.kind === 'stalled-body') {
    start(exchange, text, headers);
    return untilGone(exchange.gone);
  }
  if (fault?.kind === 'slow-headers') await wait(fault.delayMs, exchange.gone);
  send(exchange, 200, 'application/json', spoilBody(fault, text), headers);
}

/** Ends the connection with a TCP reset. */
function reset({ req }: Exchange): void {
  req.socket.resetAndDestroy();
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

async function sendInPieces(
  exchange: Exchange,
  text: string,
  headers: Record<string, string>,
  delayMs: number,
): Promise<void> {
  start(exchange, text, headers);
  const bytes = Buffer.from(text);
  const size = Math.ceil(bytes.length / PIECES);
  for (let sent = 0; sent < bytes.length && !exchange.gone.aborted; sent += size) {
    await wait(delayMs / PIECES, exchange.gone);
    exchange.res.write(bytes.subarray(sent, sent + size));
  }
  exchange.res.end();
}
