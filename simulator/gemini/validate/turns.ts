import { type GoogleError, invalidArgument } from '../api/google-error.ts';
import type { FunctionCall } from '../rules/thought-signature.ts';

interface Part {
  functionCall?: (FunctionCall & { id?: string | undefined }) | undefined;
  functionResponse?: { name: string; id?: string | undefined } | undefined;
}

interface Content {
  role?: string | undefined;
  parts: readonly Part[];
}

/**
 * The order of calls and their answers. A message with calls follows one of the user; the next message answers all of them, in
 * their order, by name and, where the model gave one, by id. Nothing asks the model to go on after its own message.
 * https://ai.google.dev/gemini-api/docs/function-calling; the words: https://github.com/google-gemini/gemini-cli/issues/5443 (count),
 * https://github.com/google-gemini/gemini-cli/issues/11814 (call turn), https://github.com/langchain-ai/langchain/issues/27799
 * (response turn), https://github.com/router-for-me/CLIProxyAPI/issues/5199 (id), https://github.com/crewAIInc/crewAI/pull/6973 (end)
 * @throws GoogleError 400
 */
export function checkTurns(contents: readonly Content[]): void {
  for (const [i, content] of contents.entries()) {
    const before = contents[i - 1];
    if (callsOf(content).length > 0) {
      if (content.role !== 'model' || before === undefined || before.role === 'model') {
        throw invalidArgument(
          'Please ensure that function call turn comes immediately after a user turn or after a function response turn.',
        );
      }
      if (i + 1 < contents.length) checkAnswers(content, contents[i + 1]);
    }
    if (answersOf(content).length > 0 && callsOf(before).length === 0) {
      throw invalidArgument('Please ensure that function response turn comes immediately after a function call turn.');
    }
  }
  if (contents.at(-1)?.role === 'model') {
    throw invalidArgument('Please ensure that multiturn requests end with a user role or a function response.');
  }
}

function checkAnswers(called: Content, next: Content | undefined): void {
  const calls = callsOf(called);
  const answers = answersOf(next);
  if (calls.length !== answers.length) {
    throw invalidArgument(
      'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.',
    );
  }
  for (const [i, { name, id }] of calls.entries()) {
    const answer = answers[i];
    if (answer?.name !== name) throw toMismatch('name');
    if (answer.id !== id) throw toMismatch('id');
  }
}

function toMismatch(field: 'name' | 'id'): GoogleError {
  return invalidArgument(`functionResponse.${field} does not match functionCall.${field}`);
}

function callsOf(content: Content | undefined): NonNullable<Part['functionCall']>[] {
  return (content?.parts ?? []).flatMap(({ functionCall }) => functionCall ?? []);
}

function answersOf(content: Content | undefined): NonNullable<Part['functionResponse']>[] {
  return (content?.parts ?? []).flatMap(({ functionResponse }) => functionResponse ?? []);
}
