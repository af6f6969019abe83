import { redactJson, type Redact } from '../config/redact.ts';
import type { Model, ModelReply } from './model.ts';

/**
 * A model whose replies hold no secret. What is stored is then what this run has seen, so that a later run replays the same
 * conversation.
 */
export function withoutSecrets(model: Model, redact: Redact): Model {
  return {
    ...(model.limitKey === undefined ? {} : { limitKey: model.limitKey }),
    call: async (request, options) => redactReply(await model.call(request, options), redact),
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
