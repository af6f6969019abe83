import type { Attributes, AttributeValue, Span } from './types.ts';

/** Who sends the spans. */
export interface Sender {
  serviceName: string;
  version: string;
  workerId: string;
}

const KINDS = { internal: 1, client: 3 } as const;
const STATUS_ERROR = 2;

/**
 * The body of one request of OTLP/HTTP in JSON, an `ExportTraceServiceRequest`: ids in hex, times and ints as text.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function toOtlpJson({ serviceName, version, workerId }: Sender, spans: readonly Span[]): object {
  return {
    resourceSpans: [
      {
        resource: {
          attributes: toAttributes({
            'service.name': serviceName,
            'service.version': version,
            'service.instance.id': workerId,
          }),
        },
        scopeSpans: [{ scope: { name: 'haiku-fleet', version }, spans: spans.map(toOtlpSpan) }],
      },
    ],
  };
}

function toOtlpSpan({ kind, startAt, endAt, attributes, events, failure, ...ids }: Span): object {
  return {
    ...ids,
    kind: KINDS[kind],
    startTimeUnixNano: toNano(startAt),
    endTimeUnixNano: toNano(endAt),
    attributes: toAttributes(attributes),
    events: events.map((event) => ({
      timeUnixNano: toNano(event.at),
      name: event.name,
      attributes: toAttributes(event.attributes),
    })),
    status: failure === null ? {} : { code: STATUS_ERROR, ...(failure === '' ? {} : { message: failure }) },
  };
}

function toNano(ms: number): string {
  return `${Math.round(ms)}000000`;
}

function toAttributes(attributes: Attributes): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: toValue(value) }));
}

function toValue(value: AttributeValue): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
