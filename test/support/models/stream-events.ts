import type Anthropic from '@anthropic-ai/sdk';

/** An event of the Messages API as it came over the wire: its name, and its JSON. */
export interface StreamedEvent {
  event: string;
  data: { type: string; index?: number; delta?: Record<string, string>; [field: string]: unknown };
}

/** Asks for a stream without the SDK and reads it to its end. */
export async function streamEvents(
  url: string,
  params: Anthropic.MessageCreateParamsNonStreaming,
): Promise<StreamedEvent[]> {
  const response = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'simulated', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ ...params, stream: true }),
  });
  const frames = (await response.text()).split('\n\n').filter((frame) => frame !== '');
  return frames.map((frame) => {
    const [, event = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(frame) ?? [];
    return { event, data: JSON.parse(data) as StreamedEvent['data'] };
  });
}
