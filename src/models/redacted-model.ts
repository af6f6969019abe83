import { redactJson, type Redact } from '../config/redact.ts';
import type { Model, ModelReply } from './model.ts';

/**
 * A model whose replies hold no secret. What is stored is then what this run has seen, so that a later run replays the same
 * conversation.
 */
export function withoutSecrets(model: Model, redact: Redact): Model {
  return {
    ...(model.limitKeyOf === undefined ? {} : { limitKeyOf: model.limitKeyOf }),
    call: async (request, options) => joinCutSecrets(redactReply(await model.call(request, options), redact), redact),
    countTokens: (request, options) => model.countTokens(request, options),
  };
}

/** Thinking that holds a secret goes as a whole: the provider refuses a block that was changed. */
function redactReply(reply: ModelReply, redact: Redact): ModelReply {
  const clean = redactJson(reply, redact);
  if (clean === reply) return reply;
  const content = reply.content.filter((block) => block.type !== 'thinking' || redactJson(block, redact) === block);
  return redactJson({ ...reply, content }, redact);
}

/** Readers of a reply join its texts, so a secret that is cut between two of them would be whole again: the texts become one then. */
function joinCutSecrets(reply: ModelReply, redact: Redact): ModelReply {
  const texts = reply.content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  if (texts.length < 2) return reply;
  const joined = texts.join('');
  const text = redact(joined);
  if (text === joined) return reply;
  const first = reply.content.findIndex((block) => block.type === 'text');
  const content = reply.content
    .filter((block, i) => block.type !== 'text' || i === first)
    .map((block) => (block.type === 'text' ? { ...block, text } : block));
  return { ...reply, content };
}
