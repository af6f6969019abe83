import type { ArchiveRequest } from '../../../src/models/archive-model.ts';

/** A request of a librarian. */
export function archiveRequest(
  question: string,
  findings: readonly string[] = [],
  changes: Partial<ArchiveRequest> = {},
) {
  const blocks = findings.map(
    (text, i) => `<finding id="finding_${String(i).padStart(4, '0')}" at="2026-11-20T10:00:00.000Z">${text}</finding>`,
  );
  const request: ArchiveRequest = {
    model: 'gemini-3.5-flash-lite',
    system: 'Answer from the findings only.',
    prompt: [...blocks, `<question>${question}</question>`].join('\n'),
    maxTokens: 1_000,
    responseSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { answer: { type: 'string' }, citations: { type: 'array', items: { type: 'string' } } },
      required: ['answer', 'citations'],
      additionalProperties: false,
    },
    ...changes,
  };
  return request;
}
