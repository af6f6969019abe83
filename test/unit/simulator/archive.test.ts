import { expect, it } from 'vitest';
import { NOT_IN_ARCHIVE, answerQuestion } from '../../../simulator/model/archive/answer.ts';

const FINDINGS = [
  '<finding id="finding_aa01" at="2026-11-20T10:00:00.000Z" session="instance-10">The upload timeout is 30 seconds. Retries are off.</finding>',
  '<finding id="finding_bb02" at="2026-11-20T11:00:00.000Z" session="instance-10">Haiku tasks cost $0.0011 each on average.</finding>',
  '<finding id="finding_cc03" at="2026-11-21T09:00:00.000Z" session="instance-11">The upload timeout is 45 seconds.\nMeasured twice.</finding>',
];

const ask = (question: string, findings = FINDINGS): { answer: string; citations: string[] } =>
  JSON.parse(say(question, findings));
const say = (question: string, findings = FINDINGS): string =>
  answerQuestion(`${findings.join('\n')}\n<question>${question}</question>`, true, null).text;

it('answers from the finding that shares words with the question, and cites it', () => {
  const { answer, citations } = ask('What do Haiku tasks cost?');
  expect(citations).toEqual(['finding_bb02']);
  expect(answer).toBe('Haiku tasks cost $0.0011 each on average. [finding_bb02] (simulated model)');
});

it('finds by session as well', () => {
  expect(ask('What did instance-11 learn?').citations).toEqual(['finding_cc03']);
});

it('says so when nothing fits', () => {
  expect(ask('Which colour has the moon base?')).toEqual({ answer: NOT_IN_ARCHIVE, citations: [] });
  expect(ask('What do Haiku tasks cost?', [])).toEqual({ answer: NOT_IN_ARCHIVE, citations: [] });
});

it('names both findings where they contradict each other', () => {
  const { answer, citations } = ask('What is the upload timeout?');
  expect(citations).toEqual(['finding_aa01', 'finding_cc03']);
  expect(answer).toMatch(/contradict each other: .*30 seconds.*45 seconds.*\[finding_aa01, finding_cc03\]/);
});

it('does as the markers in a question say', () => {
  expect(ask('Upload timeout? [[cite-unknown]]').citations).toContain('finding_unknown0000');
  const silent = ask('Upload timeout? [[no-citation]]');
  expect(silent.citations).toEqual([]);
  expect(silent.answer).not.toContain('finding_');
  expect(say('Upload timeout? [[empty]]')).toBe('');
});

it('fills another schema than the librarian’s', () => {
  const schema = {
    type: 'object',
    properties: { ok: { type: 'boolean' } },
    required: ['ok'],
    additionalProperties: false,
  };
  const { text } = answerQuestion('<question>upload?</question>', true, schema);
  expect(JSON.parse(text)).toEqual({ ok: expect.any(Boolean) });
});

it('answers the same prompt in the same words', () => {
  expect(say('What is the upload timeout?')).toBe(say('What is the upload timeout?'));
});
